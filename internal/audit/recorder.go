package audit

import (
	"context"
	"sync"
	"time"
)

// StrangersPerMinute is how many refused attempts of unknown callers are recorded in a minute. More
// are only counted, so that a flood of them does not fill the disk.
const StrangersPerMinute = 60

// Store keeps the record.
type Store interface {
	// AppendEntry adds an entry in a transaction of its own, whatever draft ctx has.
	AppendEntry(ctx context.Context, e Entry) error
}

// Recorder records what is not part of an operation's transaction: refused and failed attempts. Its
// methods may be called from many goroutines.
type Recorder struct {
	store Store
	now   func() time.Time
	newID func() string

	mu      sync.Mutex
	minute  time.Time // when the present minute began
	count   int       // attempts of unknown callers that were recorded in it
	skipped int       // attempts not recorded since the last one that was
}

// NewRecorder returns a recorder that keeps its entries in store. now is the clock; newID makes the
// ids of entries that have none.
func NewRecorder(store Store, now func() time.Time, newID func() string) *Recorder {
	return &Recorder{store: store, now: now, newID: newID}
}

// Record adds an entry, even if ctx has ended because the caller has gone. Of refused attempts by
// unknown callers it records StrangersPerMinute, and counts the others in Skipped of the next one
// that it records.
func (r *Recorder) Record(ctx context.Context, e Entry) error {
	if e.ID == "" {
		e.ID = r.newID()
	}
	if e.At.IsZero() {
		e.At = r.now()
	}
	if e.Actor.ID == "" && e.Result == Refused {
		var ok bool
		if e.Skipped, ok = r.admit(); !ok {
			return nil
		}
	}
	err := r.store.AppendEntry(context.WithoutCancel(ctx), e)
	if err != nil && e.Skipped > 0 {
		r.mu.Lock()
		r.skipped += e.Skipped
		r.mu.Unlock()
	}
	return err
}

// admit reports whether an unknown caller's attempt is to be recorded, and how many were skipped
// before it.
func (r *Recorder) admit() (skipped int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Before(r.minute) || now.Sub(r.minute) >= time.Minute {
		r.minute, r.count = now, 0
	}
	if r.count >= StrangersPerMinute {
		r.skipped++
		return 0, false
	}
	r.count++
	skipped, r.skipped = r.skipped, 0
	return skipped, true
}
