package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// What the channel to Android devices keeps comes back as it was stored.
func TestAndroid(t *testing.T) {
	s, ctx := storetest.Open(t), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	if _, err := s.ServiceAccount(ctx); !errors.Is(err, amapi.ErrNotFound) {
		t.Errorf("a service account that nobody set: %v", err)
	}
	refused := errors.New("refused")
	err := s.SetServiceAccount(ctx, keypair.KeyPair{CertificatePEM: []byte{}, KeyPEM: []byte("k")},
		func(*amapi.Setup) error { return refused })
	if _, found := s.ServiceAccount(ctx); !errors.Is(err, refused) || !errors.Is(found,
		amapi.ErrNotFound) {
		t.Errorf("a refused key is kept: %v, %v", err, found)
	}
	must(s.SetServiceAccount(ctx, keypair.KeyPair{CertificatePEM: []byte{}, KeyPEM: []byte("k")},
		func(setup *amapi.Setup) error { setup.Project = "p"; return nil }))
	must(s.UpdateAndroidSetup(ctx, func(setup *amapi.Setup) error {
		setup.Enterprise = "enterprises/e"
		return nil
	}))
	if setup, err := s.AndroidSetup(ctx); err != nil || setup.Project != "p" ||
		setup.Enterprise != "enterprises/e" {
		t.Errorf("the set-up is %+v, %v", setup, err)
	}
	if k, err := s.ServiceAccount(ctx); err != nil || string(k.KeyPEM) != "k" {
		t.Errorf("the key is %+v, %v", k, err)
	}

	token := amapi.StoredToken{ID: "t", Name: "enterprises/e/enrollmentTokens/1",
		Mode: amapi.Dedicated, OneTime: true, Created: now, Expires: now.Add(time.Hour),
		Terms: access.EnrollmentTerms{Maker: "token:1", Group: "g"}}
	must(s.AddAndroidToken(ctx, token))
	for _, by := range [][2]string{{"t", ""}, {"", token.Name}, {"x", token.Name}} {
		if found, err := s.AndroidToken(ctx, by[0], by[1]); err != nil || found.ID != "t" ||
			found.Terms.Group != "g" || !found.OneTime || !found.Expires.Equal(token.Expires) {
			t.Errorf("the token of %q is %+v, %v", by, found, err)
		}
	}
	if _, err := s.AndroidToken(ctx, "", ""); !errors.Is(err, amapi.ErrNotFound) {
		t.Errorf("a token of no name: %v", err)
	}
	if list, err := s.AndroidTokens(ctx, now); err != nil || len(list) != 1 {
		t.Errorf("%d tokens, %v", len(list), err)
	}
	must(s.RevokeAndroidToken(ctx, "t"))
	if list, err := s.AndroidTokens(ctx, now); err != nil || len(list) != 0 {
		t.Errorf("%d tokens after one was taken back, %v", len(list), err)
	}
}

// An enrollment has the postings of its own, of which the newest stay, and takes the place of the
// one before.
func TestAndroidEnrollments(t *testing.T) {
	s, ctx := storetest.Open(t), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	old := &amapi.Enrollment{Name: "d/1", Device: "id", UDID: "u", Standing: amapi.Current,
		State: amapi.EnrollmentState{Reported: 1<<53 + 1,
			Absent: map[string]amapi.Absence{"a": {Version: 1, Report: 2}}}}
	must(s.SaveAndroidEnrollment(ctx, old))
	manifest := &amapi.Manifest{Packages: []string{"a"}}
	for mark := range int64(6) {
		must(s.AddAndroidPosting(ctx, "d/1", amapi.Posting{Mark: mark + 1, Hash: "h",
			Manifest: manifest}))
		must(s.FinishAndroidPosting(ctx, "d/1", mark+1, 10+mark))
	}
	must(s.MoveAndroidPosting(ctx, "d/1", 6, 9, manifest))
	must(s.AddAndroidPosting(ctx, "d/1", amapi.Posting{Mark: 10, Hash: "i", Manifest: manifest}))
	list, err := s.AndroidPostings(ctx, "d/1")
	if err != nil || len(list) != 4 || list[0].Mark != 10 || list[0].Version != 0 ||
		list[1].Mark != 9 || list[1].Version != 15 || list[3].Version != 13 ||
		len(list[1].Manifest.Packages) != 1 {
		t.Errorf("the postings are %+v, %v", list, err)
	}
	must(s.DropAndroidPosting(ctx, "d/1", 10))
	must(s.SpoilAndroidPostings(ctx, "d/1"))
	if list, err := s.AndroidPostings(ctx, "d/1"); err != nil || len(list) != 3 ||
		list[0].Hash != "" {
		t.Errorf("the spoiled postings are %+v, %v", list, err)
	}
	must(s.UpdateAndroidEnrollment(ctx, "d/1", func(e *amapi.Enrollment) { e.State.Known = 7 }))
	if e, err := s.AndroidEnrollmentOf(ctx, "id"); err != nil || e.State.Known != 7 ||
		e.State.Reported != 1<<53+1 || e.State.Absent["a"].Report != 2 {
		t.Errorf("the enrollment is %+v, %v", e, err)
	}
	must(s.SaveAndroidEnrollment(ctx, &amapi.Enrollment{Name: "d/2", Device: "id", UDID: "u",
		Standing: amapi.Current}, "d/1", "d/0"))
	for _, name := range []string{"d/0", "d/1"} {
		if e, err := s.AndroidEnrollment(ctx, name); err != nil || e.Standing != amapi.Replaced {
			t.Errorf("%s is %+v, %v", name, e, err)
		}
	}
	if list, err := s.AndroidPostings(ctx, "d/1"); err != nil || len(list) > 0 {
		t.Errorf("what was replaced has %d postings, %v", len(list), err)
	}
	if e, err := s.AndroidEnrollmentByUDID(ctx, "u"); err != nil || e.Name != "d/2" {
		t.Errorf("the device of the UDID is %+v, %v", e, err)
	}
	if n, err := s.CountAndroidEnrollments(ctx); err != nil || n != 1 {
		t.Errorf("%d are enrolled, %v", n, err)
	}
	if some, err := s.AndroidEnrollmentsAfter(ctx, "d/1", 5); err != nil || len(some) != 1 {
		t.Errorf("%d are behind the first, %v", len(some), err)
	}
	must(s.EndAndroidEnrollment(ctx, "d/2"))
	if _, err := s.AndroidEnrollmentOf(ctx, "id"); !errors.Is(err, amapi.ErrNotFound) {
		t.Errorf("one that left is enrolled: %v", err)
	}
}

// A lease has one holder, until it ends or is given back.
func TestLeases(t *testing.T) {
	s, ctx := storetest.Open(t), t.Context()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i, tt := range []struct {
		holder string
		at     time.Duration
		taken  bool
	}{
		{"a", 0, true}, {"b", 0, false}, {"a", time.Second, true}, // renewed until 61 s
		{"b", 60 * time.Second, false}, {"b", 61 * time.Second, true},
		{"a", 62 * time.Second, false},
	} {
		at := now.Add(tt.at)
		taken, err := s.TakeLease(ctx, "l", tt.holder, at, at.Add(time.Minute))
		if err != nil || taken != tt.taken {
			t.Errorf("%d: %s has it %t, %v", i, tt.holder, taken, err)
		}
	}
	if err := s.ReleaseLease(ctx, "l", "a"); err != nil { // who does not have it
		t.Fatal(err)
	}
	if taken, err := s.TakeLease(ctx, "l", "a", now, now.Add(time.Minute)); err != nil || taken {
		t.Errorf("somebody else gave it back: %v", err)
	}
	for holder, kept := range map[string]bool{"a": false, "b": true} {
		if ok, err := s.RenewLease(ctx, "l", holder, now.Add(time.Hour)); err != nil || ok != kept {
			t.Errorf("%s keeps it %t, %v", holder, ok, err)
		}
	}
	late := now.Add(3 * time.Minute) // its end but for the renewal
	if taken, err := s.TakeLease(ctx, "l", "a", late, late.Add(time.Minute)); err != nil || taken {
		t.Errorf("it was not renewed: %v", err)
	}
	if err := s.ReleaseLease(ctx, "l", "b"); err != nil {
		t.Fatal(err)
	}
	if kept, err := s.RenewLease(ctx, "l", "b", now.Add(time.Hour)); err != nil || kept {
		t.Errorf("what was given back is renewed: %v", err)
	}
	if taken, err := s.TakeLease(ctx, "l", "a", now, now.Add(time.Minute)); err != nil || !taken {
		t.Errorf("it is not free: %v", err)
	}
}

// The only server of a database ends what an earlier one left. Where there may be others it is
// theirs.
func TestLeasesOfEarlierProcesses(t *testing.T) {
	s, ctx := storetest.Open(t), t.Context()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	end := func() {
		t.Helper()
		if err := s.EndLeases(ctx, "device/"); err != nil {
			t.Fatal(err)
		}
	}
	free := func(name string) bool {
		t.Helper()
		taken, err := s.TakeLease(ctx, name, "this process", now, now.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return taken
	}
	for _, name := range []string{"device/1", "device/2", "list"} {
		taken, err := s.TakeLease(ctx, name, "an earlier one", now, now.Add(time.Minute))
		if err != nil || !taken {
			t.Fatal(taken, err)
		}
	}
	end()
	if free("device/1") {
		t.Error("the lease of a process that may be alive has ended")
	}
	if err := s.Hold(); err != nil {
		t.Fatal(err)
	}
	end()
	if free("device/1") == storetest.Postgres() || free("list") {
		t.Error("want only the leases of devices to be free, and only where this process is alone")
	}
}
