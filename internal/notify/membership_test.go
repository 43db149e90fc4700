package notify_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// Each subscription is told of the changes that it asked for: that a device was enrolled, that
// something became of it, that it left management.
func TestChangeTypes(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	old := w.device()
	receivers := map[string]*receiver{"created": newReceiver(t), "updated": newReceiver(t),
		"deleted": newReceiver(t), "deleted, created,deleted": newReceiver(t)}
	for changes, r := range receivers {
		in := w.input(r)
		in.ChangeType = changes
		sub := w.subscribe(who, in)
		if changes == "deleted, created,deleted" {
			changes = "deleted,created"
		}
		if sub.Terms.ChangeType != changes {
			t.Errorf("%s became %s", changes, sub.Terms.ChangeType)
		}
	}
	w.happen(old)
	fresh := w.device()
	w.happen(fresh)
	w.leave(old)
	w.sweep()
	for changes, want := range map[string][]string{
		"created":                  {told("created", fresh)},
		"updated":                  {told("updated", old), told("updated", fresh)},
		"deleted":                  {told("deleted", old)},
		"deleted, created,deleted": {told("created", fresh), told("deleted", old)},
	} {
		if got := receivers[changes].told(); !slices.Equal(got, want) {
			t.Errorf("%s: told of %v, want %v", changes, got, want)
		}
	}
	// Who leaves twice left once, and who comes back is created again.
	w.leave(old)
	w.sweep()
	if got := receivers["deleted"].told(); len(got) > 0 {
		t.Errorf("told of %v", got)
	}
	d, err := w.store.Device(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := w.engine.Enroll(t.Context(), *d, ""); err != nil {
			t.Fatal(err)
		}
	}
	w.sweep()
	if got := receivers["created"].told(); !slices.Equal(got, []string{told("created", old)}) {
		t.Errorf("told of %v", got)
	}
	in := w.input(newReceiver(t))
	for _, wrong := range []string{"", "updated,", "removed", "Created"} {
		in.ChangeType = wrong
		if _, err := w.Create(t.Context(), who, in); !isInvalid(err, "changeType") {
			t.Errorf("%q: got %v", wrong, err)
		}
	}
}

// That the record of a device was deleted is told to all who saw the device, of one device too, once
// with its leaving if that was not told before; to no others.
func TestDeletedRecord(t *testing.T) {
	w := newWorld(t)
	all, _ := w.owner(access.TokenInput{})
	tag, err := w.roles.CreateTag(t.Context(), access.TagInput{Name: "Shops"})
	if err != nil {
		t.Fatal(err)
	}
	limited, _ := w.owner(access.TokenInput{Tags: []string{tag.ID}})
	device, strange := w.device(), w.device()
	w.tag(device, tag.ID)
	receivers := make(map[string]*receiver)
	for name, who := range map[string]*access.Principal{"all": all, "limited": limited} {
		for _, path := range []string{"", "/" + string(device)} {
			receivers[name+path] = newReceiver(t)
			in := w.input(receivers[name+path])
			in.Resource += path
			in.ChangeType = "deleted"
			w.subscribe(who, in)
		}
	}
	delete := func(id fleet.DeviceID) {
		t.Helper()
		w.leave(id)
		if err := w.config.Payloads.(*catalog.Catalog).DeleteDevice(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	delete(device)
	delete(strange)
	w.sweep()
	for name, r := range receivers {
		want := []string{told("deleted", device)}
		if name == "all" {
			want = append(want, told("deleted", strange))
		}
		if got := r.told(); !slices.Equal(got, want) {
			t.Errorf("%s: told of %v, want %v", name, got, want)
		}
	}
}

func isInvalid(err error, property string) bool {
	wrong, ok := err.(*invalid.Input)
	return ok && wrong.Property == property
}

func told(change string, device fleet.DeviceID) string { return fmt.Sprint(change, " ", device) }

// told is what the receiver was told since it was asked last.
func (r *receiver) told() (list []string) {
	posts, _ := r.take()
	for _, p := range posts {
		for _, n := range p.list {
			list = append(list, told(n.Change, n.Data.ID))
		}
	}
	return list
}

func (w *world) leave(device fleet.DeviceID) {
	w.Helper()
	if err := w.engine.Unenroll(w.Context(), device); err != nil {
		w.Fatal(err)
	}
}
