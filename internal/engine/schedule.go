package engine

import (
	"time"

	"github.com/syncpayloads/syncpayloads/internal/backoff"
)

const (
	// wait before a device that did not come is woken again; quadruples
	wakeBase = time.Minute
	// longest wait between wake-ups: pushes expire while a device is off
	wakeMost = 6 * time.Hour
	// wait before a device that said not now is woken; it mostly comes by itself
	notNowWait = 30 * time.Minute
	clockSkew  = time.Minute // how far the clocks of servers on one database may be apart
)

// contact is who is in touch with the engine as a step ends.
type contact uint8

const (
	// Nobody is: the step is the clock's, or an admin's.
	nobodyConnected contact = iota
	// The device is, and is being handed what is ready.
	deviceConnected
	// The device's channel is. It has all that is wanted, and waits for what comes of it.
	channelHasDocument
)

// schedule sets when the clock must look at the device next, and says whether to wake it now.
func (l *Ledger) schedule(now time.Time, inTouch contact) (wake bool) {
	if inTouch == deviceConnected {
		l.Wake.Tries = 0
	}
	l.Wake, wake = l.nextWake(now, inTouch)
	l.DueAt = l.Device.NextDue(now)
	if at := l.Wake.At; !at.IsZero() && (l.DueAt.IsZero() || at.Before(l.DueAt)) {
		l.DueAt = at
	}
	return wake
}

// nextWake is when the device is woken next, by what it has to do and who is in touch:
//
//	          | nobodyConnected               | deviceConnected | channelHasDocument
//	ready     | now; again after a longer     | after wakeBase  | after as long as the last wake-up
//	          | wait with every try           |                 | was to wait; the try is not another one
//	postponed | when notNowWait has passed    | after notNowWait
//	nothing   | never
//
// Ready, a connected device is handed its work: the wake-up is for a connection that breaks. What a
// channel was handed may wait for a device for days, so each wake-up after that, which makes the
// channel look again, waits longer.
func (l *Ledger) nextWake(now time.Time, inTouch contact) (next Wake, wake bool) {
	ready, postponed := l.Device.Ready(now), l.Device.Deferred()
	if !ready && !postponed {
		return Wake{}, false
	}
	if ready && inTouch == deviceConnected {
		return Wake{Tries: l.Wake.Tries, At: now.Add(wakeBase)}, false
	}
	if ready && inTouch == channelHasDocument {
		tries := max(l.Wake.Tries, 1)
		return Wake{Tries: tries, At: now.Add(wakeWait(tries - 1))}, false
	}
	if ready {
		return Wake{Tries: l.Wake.Tries + 1, At: now.Add(wakeWait(l.Wake.Tries))}, true
	}
	if inTouch != nobodyConnected {
		return Wake{Tries: l.Wake.Tries, At: now.Add(notNowWait)}, false
	}
	misdated := l.Wake.At.After(now.Add(notNowWait + clockSkew)) // by a clock that was ahead
	if misdated || !l.Wake.At.After(now) {
		return Wake{Tries: l.Wake.Tries, At: now.Add(notNowWait)}, true
	}
	return l.Wake, false
}

// wakeWait is how long the wake-up after so many tries waits.
func wakeWait(tries int) time.Duration { return backoff.After(wakeBase, wakeMost, 4, tries+1) }
