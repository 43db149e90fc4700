package test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	google "github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// androidKilled is the load: Android devices that take policies all the time.
type androidKilled struct {
	*killed
	google   *killedGoogle
	androids []*android
	versions []int64 // that each device had taken
}

// The process is killed at random points while policies are posted and reports come. What was
// accepted is there afterwards, Google gets no document that it has already, and in the end every
// device itself has what was asked last.
func TestKillWithAndroidDevices(t *testing.T) {
	kills := killsWanted(15) // 50 of them take more than a minute
	k := startAndroidKilled(t, 20)
	k.run(kills, k.keepsVersion)
	began := time.Now()
	k.finish()
	k.stays()
	posted := 0
	for i, d := range k.androids {
		p := k.google.policies[d.id]
		posted += p.posted
		// each payload may have come in a version of its own before the first call
		if most := int(k.tried[i].Load()) + len(k.all) + 1; p.posted > most {
			t.Errorf("%s: %d versions were posted, for %d calls", d.Serial(), p.posted,
				k.tried[i].Load())
		}
	}
	t.Logf("%d kills, %d accepted calls, %d versions of %d policies, %d requests cut off; "+
		"the end took %s", kills, k.calls.Load(), posted, len(k.androids), k.google.cut.Load(),
		time.Since(began))
}

// keepsVersion looks whether a device has gone back to a policy that it had before.
func (k *androidKilled) keepsVersion(i int) {
	_, version := k.androids[i].PolicyVersion()
	if version < k.versions[i] {
		k.Errorf("device %d has gone back from version %d to %d", i, k.versions[i], version)
	}
	k.versions[i] = version
}

// has tells whether the device itself has a payload.
func (d *android) has(p payload) bool {
	return d.hasWiFi(p) || d.hasSetting(p) || d.Has(p.Identifier)
}

// finish lets everything settle and compares.
func (k *androidKilled) finish() {
	for _, d := range k.androids {
		d.SetFaults(google.Faults{})
		_ = d.Sync() // what it held back is published, too
	}
	// What no process acknowledged comes again when its time is over.
	k.google.ahead.Store(int64(2 * time.Minute))
	for i, d := range k.androids {
		set := *k.last[i].Load()
		asked := func() bool {
			return !slices.ContainsFunc(k.all, func(p payload) bool {
				return d.has(p) == slices.Contains(set, p)
			})
		}
		end := time.Now().Add(3 * time.Minute)
		for turn := 1; !asked() || !k.resultOf(d.id).final(); turn++ {
			if turn%10 == 0 { // it does so each day; an app counts as gone with the second report
				_ = d.Report()
			}
			if time.Now().After(end) {
				k.Fatalf("device %d has %v, %v, %v, off was to be %v: %+v", i, d.Networks(),
					d.Apps(), d.Settings(), identifiers(set), k.resultOf(d.id))
			}
			time.Sleep(50 * time.Millisecond) // devices act by themselves
		}
		r := k.resultOf(d.id)
		if r.ActionState != "done" {
			k.Errorf("device %d: %+v", i, r)
		}
		for _, p := range set {
			if r.of(p) != "remove/removed" {
				k.Errorf("device %d: %s is shown as %s", i, p.Identifier, r.of(p))
			}
		}
		if !d.Enrolled() || d.Wiped() {
			k.Errorf("device %d was erased", i)
		}
	}
	if n := k.google.Calls("devices.delete") + k.google.Calls("devices.issueCommand"); n > 0 {
		k.Errorf("%d requests that erase devices", n)
	}
}

// stays kills the server once more: what has ended stays so, and what the database has of each
// policy is what the device has.
func (k *androidKilled) stays() {
	before := make([]result, len(k.androids))
	for i, d := range k.androids {
		before[i] = k.resultOf(d.id)
	}
	k.program.kill()
	k.comparePostings()
	k.start()
	for i, d := range k.androids {
		if now := k.resultOf(d.id); fmt.Sprint(now) != fmt.Sprint(before[i]) {
			k.Errorf("device %d is shown as %+v, and was as %+v", i, now, before[i])
		}
	}
}
