package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// Many writers, on two connections as two processes have them, make one chain without gaps, though
// half of what they do fails in the midst of others' transactions, and somebody reads meanwhile.
func TestConcurrentWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	const writers, each = 16, 12
	var wg sync.WaitGroup
	for _, s := range []*store.Store{storetest.OpenAt(t, path), storetest.OpenAt(t, path)} {
		c := newCatalog(s)
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if _, err := createGroup(t.Context(), c,
						fmt.Sprintf("group %d of %d", i, w)); err != nil {
						t.Error(err)
					}
					d := newDraft("groups.delete")
					if err := c.DeleteGroup(audit.With(t.Context(), d), "none"); !errors.Is(err,
						catalog.ErrNotFound) {
						t.Error(err)
					}
					if w == 0 {
						if _, err := verify(t, path, audit.Head{}); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
	}
	wg.Wait()
	if head := mustVerify(t, path); head.Sequence != 2*writers*each {
		t.Errorf("the head is %s", head)
	}
}

// A step that runs again on a newer ledger forgets what its first runs noted.
func TestNotesOfStepsThatRunAgain(t *testing.T) {
	for conflicts := range 4 { // the last of them gets the writer to itself
		path := filepath.Join(t.TempDir(), "audit.db")
		s := storetest.OpenAt(t, path)
		e := engine.New(engine.Config{Store: s})
		id, err := e.Enroll(t.Context(), fleet.Device{UDID: "1", Name: "phone",
			Platform: fleet.IOS}, "")
		if err != nil {
			t.Fatal(err)
		}
		runs := 0
		ctx := audit.With(t.Context(), newDraft("managedDevices.syncDevice"))
		audit.Note(ctx, audit.Object{Type: "note", ID: "made before"})
		err = s.Update(ctx, id, func(tx engine.Tx) error {
			l, err := tx.Ledger(ctx, id)
			if err != nil {
				return err
			}
			runs++
			if runs <= conflicts {
				audit.Note(ctx, audit.Object{Type: "note", ID: "made before", Name: "stale"})
			}
			audit.Note(ctx, audit.Object{Type: "run", ID: fmt.Sprint(runs)})
			if runs <= conflicts {
				if err := e.Sync(context.Background(), id); err != nil {
					return err
				}
			}
			return tx.SaveLedger(ctx, id, l)
		})
		if err != nil {
			t.Fatal(err)
		}
		list := entries(t, path)
		want := fmt.Sprintf("[{note made before  [] []} {run %d  [] []}]", conflicts+1)
		if len(list) != 1 || fmt.Sprint(list[0].Objects) != want {
			t.Errorf("%d conflicts: %d entries, objects %v, want %s", conflicts, len(list),
				list[0].Objects, want)
		}
	}
}

// A server that is killed in the midst of writing leaves a whole chain, with all that it said was
// done.
func TestKill(t *testing.T) {
	if path := os.Getenv("AUDIT_TEST_DATABASE"); path != "" {
		writeUntilKilled(t, path)
	}
	path := filepath.Join(t.TempDir(), "audit.db")
	const told = 40
	for round := int64(1); round <= 2; round++ {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
		child.Env = append(os.Environ(), "AUDIT_TEST_DATABASE="+path)
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(output)
		for range told {
			if !lines.Scan() {
				t.Fatal("the writer ended by itself")
			}
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait() // it was killed
		if head := mustVerify(t, path); head.Sequence < round*told {
			t.Errorf("%d operations were done, the head is %s", round*told, head)
		}
		use(t, path, func(s *store.Store) {
			list, err := newCatalog(s).ListGroups(t.Context(), query.Query{})
			if err != nil || len(list.Items) != len(entries(t, path)) {
				t.Errorf("%d groups and %d entries, %v", len(list.Items), len(entries(t, path)),
					err)
			}
		})
	}
}

func writeUntilKilled(t *testing.T, path string) {
	c := newCatalog(storetest.OpenAt(t, path))
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for i := 0; ; i++ {
				if _, err := createGroup(t.Context(), c, fmt.Sprint("group ", i)); err != nil {
					t.Error(err)
					return
				}
				fmt.Println("done")
			}
		})
	}
	writers.Wait()
}

// Texts that no column or file can hold as they are do not break the chain.
func TestSealMakesTextsStorable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	s := storetest.OpenAt(t, path)
	e := audit.Entry{ID: "1", Activity: "a\x00b\xff", Reason: "line\nbreak \u2028 <&>",
		Actor: audit.Actor{Roles: []string{"", "a\x1fb", "c"}},
		At:    noon.In(time.FixedZone("", 3600)),
		Objects: []audit.Object{{Type: "group", ID: "\xfe",
			After: json.RawMessage("{ \"a\":\t\"<\u2028\xff>\" }")}}}
	if err := s.AppendEntry(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	head := mustVerify(t, path)
	got := entries(t, path)[0]
	if got.Activity != "a b\ufffd" || fmt.Sprintf("%q", got.Actor.Roles) != `["a b" "c"]` ||
		!json.Valid(got.ObjectsText()) {
		t.Errorf("stored %+v", got)
	}
	var file bytes.Buffer
	if err := audit.WriteLine(&file, &got); err != nil {
		t.Fatal(err)
	}
	v := audit.Verifier{Part: true, Expect: head}
	if err := audit.ReadLines(&file, v.Add); err != nil {
		t.Fatal(err)
	}
	if _, err := v.End(nil); err != nil {
		t.Error(err)
	}
	e.ID, e.Objects[0].After = "2", json.RawMessage("{")
	if err := s.AppendEntry(t.Context(), e); err == nil {
		t.Error("an object that is no JSON was recorded")
	}
}
