package main

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// fill makes a group of devices, a scope tag and a role in a new database and returns the ids of
// the first two.
func fill(t *testing.T, data string) (group, tag string) {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(data, server.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	roles, root := access.NewRoles(st, uuid.NewString),
		&access.Principal{Grants: []access.Grant{{Rights: access.Rights()}}}
	g, err := catalog.New(st, nil, time.Now, uuid.NewString).CreateGroup(t.Context(),
		catalog.GroupInput{DisplayName: "School, 5th floor"})
	if err != nil {
		t.Fatal(err)
	}
	made, err := roles.CreateTag(t.Context(), access.TagInput{Name: "Munich"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = roles.CreateRole(t.Context(), root,
		access.RoleInput{Name: "Night shift", Rights: []access.Right{access.ReadDevices}})
	if err = errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	return g.ID, made.ID
}

func TestTokensWithRoles(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	group, tag := fill(t, data)
	env := []string{"SYNCPAYLOADS_DATA=" + data}
	runProgram(t, env, "token", "create", "Admin").want(t, 0)
	runProgram(t, env, "token", "create", "Night", "--role", "night shift").want(t, 0)
	made := runProgram(t, env, "token", "create", "--json", "Desk", "--role", "Help Desk Operator",
		"--group", "School, 5th floor", "--scope-tag", tag,
		"--scope-tag", "Default")
	made.want(t, 0)
	desk := decode[listedToken](t, made.stdout)
	if desk.Role != "Help Desk Operator" || !slices.Equal(desk.Groups, []string{group}) ||
		!slices.Equal(desk.Tags, []string{tag, "0"}) {
		t.Errorf("made %+v", desk)
	}
	listed := decode[[]listedToken](t, runProgram(t, env, "token", "list", "--json").stdout)
	if len(listed) != 3 || listed[0].Role != "Administrator" || listed[0].Groups != nil ||
		listed[1].Role != desk.Role ||
		!slices.Equal(listed[1].Groups, desk.Groups) || listed[2].Role != "Night shift" {
		t.Errorf("listed %+v", listed)
	}
	runProgram(t, env, "token", "list").want(t, 0, "Administrator", "everywhere",
		"groups "+group+"; scope tags "+tag+", 0", "LAST USED", "never")
	for flag, text := range map[string]string{"--role": `there is no role "x"`,
		"--group":     `there is no group of devices "x"`,
		"--scope-tag": `there is no scope tag "x"`} {
		runProgram(t, env, "token", "create", "Other", flag, "x").want(t, 1, text)
	}
	runProgram(t, env, "role", "list").want(t, 0, "Help Desk Operator", access.HelpDeskOperator,
		"built-in", "Night shift", "custom")
	roles := decode[[]access.Role](t, runProgram(t, env, "role", "list", "--json").stdout)
	if len(roles) != 5 || roles[0].Name != "Administrator" ||
		len(roles[0].Rights) != len(access.Rights()) || roles[2].BuiltIn {
		t.Errorf("roles are %+v", roles)
	}
}
