package access_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

func TestTokenRole(t *testing.T) {
	o := newOffice(t)
	school, tag := o.group("School"), o.tag("Munich")
	made, bearer, err := o.tokens.Create(t.Context(),
		access.TokenInput{Name: "desk", Role: "help desk operator",
			Groups: []string{"School", school}, Tags: []string{"munich"}})
	if err != nil {
		t.Fatal(err)
	}
	if made.Role != "Help Desk Operator" || !slices.Equal(made.Groups, []string{school}) ||
		!slices.Equal(made.Tags, []string{tag}) {
		t.Errorf("made %+v", made)
	}
	gate := access.Gate{Tokens: o.tokens, Roles: o.Roles}
	p := must2(gate.Authenticate(t.Context(), bearer))(t)
	if got := p.Scope(access.ChangeAssignments); len(got) != 1 ||
		!slices.Equal(got[0].Groups, []string{school}) ||
		!slices.Equal(got[0].Tags, []string{tag}) {
		t.Errorf("the desk changes assignments in %+v", got)
	}
	if got := p.Scope(access.UpdateDevices); len(got) != 0 {
		t.Errorf("the desk updates devices in %+v", got)
	}
	a := must2(o.ListAssignments(t.Context(), "", query.Query{}))(t).Items[0]
	var conflict *access.Conflict
	if _, err := o.UpdateAssignment(t.Context(), root, a.ID,
		access.AssignmentPatch{Members: []string{"user:anna"}}); !errors.As(err, &conflict) {
		t.Errorf("giving a token's assignment to others: %v", err)
	}
	var all []string
	if _, err := o.UpdateAssignment(t.Context(), root, a.ID,
		access.AssignmentPatch{Groups: &all}); err != nil {
		t.Fatal(err)
	}
	if list := must2(o.tokens.List(t.Context()))(t); list[0].Groups != nil || list[0].Tags == nil ||
		list[0].Role != made.Role {
		t.Errorf("listed %+v", list)
	}
	if err := o.tokens.Revoke(t.Context(), "desk"); err != nil {
		t.Fatal(err)
	}
	if list := must2(o.ListAssignments(t.Context(), "", query.Query{}))(t).Items; len(list) != 0 ||
		o.principal("token:"+made.ID).Grants != nil {
		t.Errorf("after its token went there is %+v", list)
	}
}

// A token without its assignment is valid, and allows nothing.
func TestTokenWithoutRole(t *testing.T) {
	o := newOffice(t)
	_, bearer, err := o.tokens.Create(t.Context(),
		access.TokenInput{Name: "desk", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.DeleteAssignment(t.Context(), root,
		must2(o.ListAssignments(t.Context(), "", query.Query{}))(t).Items[0].ID); err != nil {
		t.Fatal(err)
	}
	gate := access.Gate{Tokens: o.tokens, Roles: o.Roles}
	if p := must2(gate.Authenticate(t.Context(),
		bearer))(t); len(p.Scope(access.ReadDevices)) != 0 {
		t.Errorf("reads devices in %+v", p.Scope(access.ReadDevices))
	}
	if list := must2(o.tokens.List(t.Context()))(t); list[0].Role != "" || list[0].RoleID != "" {
		t.Errorf("listed %+v", list)
	}
}

func TestTokenRoleRefuses(t *testing.T) {
	o := newOffice(t)
	o.group("Twice")
	o.group("Twice")
	for name, in := range map[string]access.TokenInput{
		"no role":       {},
		"unknown role":  {Role: "Boss"},
		"unknown group": {Role: access.Administrator, Groups: []string{"School"}},
		"two groups":    {Role: access.Administrator, Groups: []string{"Twice"}},
		"no group":      {Role: access.Administrator, Groups: []string{}},
		"unknown tag":   {Role: access.Administrator, Tags: []string{"1"}},
		"no tag":        {Role: access.Administrator, Tags: []string{}},
	} {
		in.Name = name
		var wrong *invalid.Input
		if made, _, err := o.tokens.Create(t.Context(), in); !errors.As(err, &wrong) {
			t.Errorf("%s: %+v, %v", name, made, err)
		}
	}
	if list := must2(o.tokens.List(t.Context()))(t); len(list) != 0 {
		t.Errorf("refused and kept: %+v", list)
	}
}

// countingStore counts writes, and refuses them while it is told to.
type countingStore struct {
	access.Store
	writes int
	refuse error
}

func (s *countingStore) UpdateAccess(ctx context.Context, fn func(access.Tx) error) error {
	s.writes++
	if s.refuse != nil {
		return s.refuse
	}
	return s.Store.UpdateAccess(ctx, fn)
}

func TestLastUse(t *testing.T) {
	o := newOffice(t)
	counted := &countingStore{Store: o.store}
	tokens := access.NewTokens(counted, o.clock.now)
	_, bearer, err := tokens.Create(t.Context(),
		access.TokenInput{Name: "desk", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	counted.writes = 0
	used := func() time.Time { return must2(tokens.List(t.Context()))(t)[0].LastUsed }
	for range 5 {
		o.clock.Time = o.clock.Add(time.Second)
		if _, err := tokens.Identify(t.Context(), bearer); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tokens.Identify(t.Context(), bearer[:len(bearer)-1]+"!"); err == nil {
		t.Error("a wrong secret was accepted")
	}
	if counted.writes != 0 || !used().IsZero() {
		t.Errorf("%d writes for 5 uses, last %s", counted.writes, used())
	}
	counted.refuse = errors.New("disk full")
	if err := tokens.Flush(t.Context()); !errors.Is(err, counted.refuse) {
		t.Errorf("a write that fails: %v", err)
	}
	counted.refuse, counted.writes = nil, 0
	for range 2 {
		if err := tokens.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if counted.writes != 1 || !used().Equal(o.clock.Time) {
		t.Errorf("%d writes, last used %s, want %s", counted.writes, used(), o.clock.Time)
	}

	ctx, stop := context.WithCancel(t.Context())
	ticks, ended := make(chan time.Time), make(chan struct{})
	go func() {
		tokens.Run(ctx, func(time.Duration) <-chan time.Time { return ticks },
			func(err error) { t.Error(err) })
		close(ended)
	}()
	o.clock.Time = o.clock.Add(time.Minute)
	if _, err := tokens.Identify(t.Context(), bearer); err != nil {
		t.Fatal(err)
	}
	ticks <- time.Time{}
	ticks <- time.Time{} // taken when the flush of the first is done
	if !used().Equal(o.clock.Time) {
		t.Errorf("after a tick: last used %s, want %s", used(), o.clock.Time)
	}
	o.clock.Time = o.clock.Add(time.Minute)
	if _, err := tokens.Identify(t.Context(), bearer); err != nil {
		t.Fatal(err)
	}
	stop()
	<-ended
	if !used().Equal(o.clock.Time) {
		t.Errorf("at the end: last used %s, want %s", used(), o.clock.Time)
	}
}

// A tag that limits a token stays.
func TestTagOfToken(t *testing.T) {
	o := newOffice(t)
	tag := o.tag("Munich")
	if _, _, err := o.tokens.Create(t.Context(),
		access.TokenInput{Name: "desk", Role: access.Administrator,
			Tags: []string{tag, fleet.DefaultTag}}); err != nil {
		t.Fatal(err)
	}
	var conflict *access.Conflict
	if err := o.DeleteTag(t.Context(), tag); !errors.As(err, &conflict) {
		t.Errorf("deleting a token's tag: %v", err)
	}
}
