package test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	google "github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// androidKilled is the load: Android devices that take policies all the time, and for each an admin
// who asks for one set after the other and repeats a call until it is accepted.
type androidKilled struct {
	*killed
	google   *killedGoogle
	androids []*android
	tried    []atomic.Int64 // calls for each device, also those that got no answer
	versions []int64        // that each device had taken
}

// The process is killed at random points while policies are posted and reports come. What was
// accepted is there afterwards, Google gets no document that it has already, and in the end every
// device itself has what was asked last.
func TestKillWithAndroidDevices(t *testing.T) {
	kills := 15 // 50 of them take more than a minute
	if n, err := strconv.Atoi(os.Getenv("SYNCPAYLOADS_TEST_KILLS")); err == nil {
		kills = n
	}
	k := startAndroidKilled(t, 20)
	ctx, stop := context.WithCancel(t.Context())
	var admins sync.WaitGroup
	for i := range k.androids {
		admins.Go(func() { k.admin(ctx, i) })
	}
	random := rand.New(rand.NewPCG(7, 7))
	for range kills {
		k.survive(time.Duration(random.IntN(300)) * time.Millisecond)
	}
	stop()
	admins.Wait()
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

// admin asks for random sets. A call that gets no answer is made again until it is accepted.
func (k *androidKilled) admin(ctx context.Context, i int) {
	random := rand.New(rand.NewPCG(3, uint64(i)))
	client := &http.Client{Transport: k.transport(), Timeout: 5 * time.Second}
	for ctx.Err() == nil {
		var set []payload
		for _, p := range k.all {
			if random.IntN(2) == 0 {
				set = append(set, p)
			}
		}
		k.last[i].Store(nil)
		for k.tried[i].Add(1); !k.accepted(client, k.androids[i].id, set); k.tried[i].Add(1) {
			time.Sleep(10 * time.Millisecond) // as a client waits before it calls again
		}
		k.last[i].Store(&set)
		k.calls.Add(1)
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
	}
}

func (k *androidKilled) accepted(client *http.Client, id string, set []payload) bool {
	items := []string{}
	for _, p := range set {
		items = append(items, fmt.Sprintf(`{"payloadId":%q,"payloadType":%q}`, p.ID, p.Type))
	}
	r, err := http.NewRequest("POST", k.url+"/beta/deviceManagement/managedDevices/"+id+
		"/syncPayloads", strings.NewReader(`{"deviceActionPayloads":[`+strings.Join(items, ",")+
		`]}`))
	if err != nil {
		k.Error(err)
		return true
	}
	r.Header.Set("Authorization", "Bearer "+k.token)
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent && res.StatusCode < 500 {
		k.Errorf("a call is answered %s", res.Status)
	}
	return res.StatusCode == http.StatusNoContent
}

// survive lets the server run for a while, kills it, starts it again, and looks whether it knows
// what it accepted.
func (k *androidKilled) survive(after time.Duration) {
	time.Sleep(after) // the random point
	accepted := k.killAndStart()
	for i, set := range accepted {
		_, version := k.androids[i].PolicyVersion()
		if version < k.versions[i] {
			k.Errorf("device %d has gone back from version %d to %d", i, k.versions[i], version)
		}
		if k.versions[i] = version; set == nil {
			continue // a call was on its way: it may count or not
		}
		r := k.resultOf(k.androids[i])
		if k.last[i].Load() != set {
			continue // the next one has been accepted meanwhile
		}
		for _, p := range *set {
			if !strings.HasPrefix(r.of(p), "remove/") {
				k.Errorf("%s was accepted to be removed; after the kill it is shown as %s",
					p.Identifier, r.of(p))
			}
		}
	}
}

func (k *androidKilled) killAndStart() []*[]payload {
	k.program.kill()
	k.google.kills.Add(1)
	accepted := make([]*[]payload, len(k.last))
	for i := range k.last {
		accepted[i] = k.last[i].Load()
	}
	k.endLeases()
	k.program.start(k.flags...)
	k.up(30 * time.Second)
	return accepted
}

// resultOf is the latest result of an Android device.
func (k *androidKilled) resultOf(d *android) result {
	k.Helper()
	var device struct{ DeviceActionResults []result }
	k.must("GET", "/beta/deviceManagement/managedDevices/"+d.id+"?$select=deviceActionResults",
		nil, &device)
	if len(device.DeviceActionResults) == 0 {
		return result{}
	}
	return device.DeviceActionResults[0]
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
		for turn := 1; !asked() || !k.resultOf(d).final(); turn++ {
			if turn%10 == 0 { // it does so each day; an app counts as gone with the second report
				_ = d.Report()
			}
			if time.Now().After(end) {
				k.Fatalf("device %d has %v, %v, %v, off was to be %v: %+v", i, d.Networks(),
					d.Apps(), d.Settings(), identifiers(set), k.resultOf(d))
			}
			time.Sleep(50 * time.Millisecond) // devices act by themselves
		}
		r := k.resultOf(d)
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
		before[i] = k.resultOf(d)
	}
	k.program.kill()
	k.comparePostings()
	k.program.start(k.flags...)
	k.up(30 * time.Second)
	for i, d := range k.androids {
		if now := k.resultOf(d); fmt.Sprint(now) != fmt.Sprint(before[i]) {
			k.Errorf("device %d is shown as %+v, and was as %+v", i, now, before[i])
		}
	}
}
