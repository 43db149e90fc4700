package test

import (
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// A device that has nothing to do costs reads: its last contact is kept in memory, and written with
// those of all others.
func TestIdleCheckInsWriteNothing(t *testing.T) {
	s := newSite(t)
	vpn := s.profile("com.example.vpn")
	var phones []*simulator.Device
	for i := range uint64(3) {
		phones = append(phones, s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: i + 1}))
	}
	for _, phone := range phones {
		s.eventually("the profile is installed, and shown",
			func() bool { return has(phone, vpn) && s.due(phone) == 0 })
	}
	s.sweep()
	written := s.watchWrites()
	checkIns := func() {
		var all sync.WaitGroup
		for _, phone := range phones {
			all.Go(func() {
				for range 20 {
					if err := phone.Connect(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
	}

	// What the server has to write of its own, such as when the test's token was last used, may
	// come once beside them.
	for attempt := 1; ; attempt++ {
		s.clock.Advance(5 * time.Second)
		if checkIns(); !written() {
			break
		}
		if attempt == 3 {
			t.Fatal("idle check-ins wrote to the database")
		}
		written = s.watchWrites()
	}

	s.clock.Advance(time.Minute)
	at := s.clock.Now()
	checkIns()
	for _, phone := range phones {
		s.eventually("the last contact is written", func() bool {
			var last int64
			s.query(&last, "SELECT last_sync FROM devices WHERE id = $1", s.ids[phone])
			return last == at.UnixMicro()
		})
	}
	if !written() {
		t.Error("the watch does not see that the last contacts were written")
	}
}

// watchWrites returns what tells whether anything was written since it was called.
func (s *site) watchWrites() func() bool {
	s.Helper()
	driver, location, text := "sqlite3", "file:"+s.config.Database, "PRAGMA data_version"
	if storetest.Postgres() {
		driver, location = "pgx", s.config.Database
		// the next transaction that writes
		text = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
	}
	db, err := sql.Open(driver, location)
	if err != nil {
		s.Fatal(err)
	}
	// data_version is the same until another connection than this one has written
	db.SetMaxOpenConns(1)
	s.Cleanup(func() { _ = db.Close() })
	version := func() (n int64) {
		if err := db.QueryRow(text).Scan(&n); err != nil {
			s.Fatal(err)
		}
		return n
	}
	before := version()
	return func() bool { return version() != before }
}
