package amapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// webApp makes a web app of a website, and assigns it to all devices.
func (w *world) webApp(name, address string) action.PayloadID {
	w.Helper()
	return w.create("androidManagedStoreWebApp", name, fmt.Sprintf(`{"appStoreUrl":%q}`, address))
}

// webApps are those that Google has.
func (w *world) webApps() []*androidmanagement.WebApp {
	w.Helper()
	list, err := w.channel.WebApps(w.Context())
	w.must(err)
	return list
}

// made is the package of a payload's web app; empty: there is none.
func (w *world) made(p action.PayloadID) string {
	w.Helper()
	found, err := w.store.AndroidWebApp(w.Context(), p)
	if errors.Is(err, amapi.ErrNotFound) {
		return ""
	}
	w.must(err)
	return found.Package()
}

// Google makes an app of a website once, for all devices; it is removed, blocked and restored as any
// other, changes where it is, and goes at Google when nobody has it any more.
func TestWebApp(t *testing.T) {
	w := newWorld(t)
	p := w.create("androidManagedStoreWebApp", "Intranet",
		`{"appStoreUrl":"https://intranet.example/","displayMode":"fullScreen"}`)
	d, id := w.enroll("S", simulator.DeviceOptions{})
	_, other := w.enroll("T", simulator.DeviceOptions{})
	w.steady(id)
	w.steady(other)
	list := w.webApps()
	if len(list) != 1 || list[0].Title != "Intranet" || list[0].DisplayMode != "FULL_SCREEN" ||
		list[0].StartUrl != "https://intranet.example/" || len(list[0].Icons) != 1 {
		t.Fatalf("Google has %+v", list)
	}
	app := w.made(p)
	if !strings.HasSuffix(list[0].Name, "/"+app) || app == "" || !d.Has(app) {
		t.Errorf("the package is %q, and the device has %v", app, d.Apps())
	}
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	policy, err := w.channel.Policy(t.Context(), id)
	w.must(err)
	if d.Has(app) || len(policy.Applications) != 1 ||
		policy.Applications[0].InstallType != "BLOCKED" {
		t.Errorf("the device has %v, its policy %+v", d.Apps(), policy.Applications)
	}
	w.call(id)
	w.until("it is restored", func() bool { return w.is(id, p, action.Succeeded) })
	if r := w.result(id, p); !d.Has(app) || !strings.Contains(r.Detail, app) {
		t.Errorf("the device has %v, the result is %+v", d.Apps(), r)
	}
	if n := w.service.Calls("webApps.create"); n != 1 {
		t.Errorf("it was made %d times", n)
	}

	_, err = w.catalog.Update(t.Context(), p, catalog.Patch{Properties: json.RawMessage(
		`{"appStoreUrl":"https://intranet.example/new"}`)})
	w.must(err)
	w.until("it is changed", func() bool {
		return w.webApps()[0].StartUrl == "https://intranet.example/new"
	})
	w.steady(id)
	if n := w.service.Calls("webApps.patch"); n != 1 || w.made(p) != app {
		t.Errorf("it was changed %d times and is %s", n, w.made(p))
	}

	w.must(w.catalog.Delete(t.Context(), p))
	w.quiet[d] = true
	w.within(time.Minute, "the other device has lost it", func() bool {
		policy, err := w.channel.Policy(t.Context(), other)
		w.must(err)
		return len(policy.Applications) == 0
	})
	w.must(w.channel.Tidy(t.Context()))
	if len(w.webApps()) != 1 {
		t.Error("it was deleted at Google while a device has it")
	}
	w.quiet[d] = false
	w.within(time.Minute, "it is gone at Google", func() bool {
		w.must(w.channel.Tidy(t.Context()))
		return len(w.webApps()) == 0
	})
	if w.made(p) != "" {
		t.Error("there is still a record of it")
	}
}

// crashingApps is a store on which a process ends instead of storing what a web app is called.
type crashingApps struct {
	amapi.Store
	hit *bool
}

func (s crashingApps) SaveAndroidWebApp(ctx context.Context, a *amapi.WebApp) error {
	if a.Name != "" && !*s.hit {
		*s.hit = true
		return errCrash
	}
	return s.Store.SaveAndroidWebApp(ctx, a)
}

// However an answer about a web app is lost, Google has one in the end, and what was made by somebody
// else stays theirs.
func TestWebAppIsMadeOnce(t *testing.T) {
	for name, begin := range map[string]func(*world){
		"503 after the effect": func(w *world) {
			w.service.AddTrouble(simulator.Trouble{Method: "webApps.create", Status: 503,
				Late: true, Times: 1})
		},
		"no answer": func(w *world) {
			w.service.AddTrouble(simulator.Trouble{Method: "webApps.create", LoseAnswer: true,
				Times: 1})
		},
		"crash before it is stored": func(w *world) {
			hit := false
			w.wrap = func(s amapi.Store) amapi.Store { return crashingApps{s, &hit} }
			w.node = w.newNode()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			begin(w)
			wifi := w.wifi("Office")
			p := w.webApp("Intranet", "https://intranet.example/")
			d, id := w.enroll("S", simulator.DeviceOptions{})
			w.step(time.Second)
			w.step(time.Second)
			if name != "crash before it is stored" && w.payload(id, wifi).Work.Phase != action.Idle {
				t.Errorf("what is beside it waits, too: %+v", w.payload(id, wifi).Work)
			}
			w.within(10*time.Second, "it is there", func() bool { return w.settled(id) })
			if list := w.webApps(); len(list) != 1 || w.service.Calls("webApps.create") != 1 ||
				!d.Has(w.made(p)) {
				t.Errorf("Google has %d, asked for %d times; the device has %v", len(list),
					w.service.Calls("webApps.create"), d.Apps())
			}
			second := w.webApp("Intranet", "https://intranet.example/")
			w.within(10*time.Second, "the second is there", func() bool { return w.settled(id) })
			if len(w.webApps()) != 2 || w.made(second) == w.made(p) {
				t.Errorf("two of the same are %s and %s", w.made(p), w.made(second))
			}
			for _, one := range []action.PayloadID{p, second} {
				w.must(w.catalog.Delete(t.Context(), one))
			}
			w.within(time.Minute, "both are gone at Google", func() bool {
				w.must(w.channel.Tidy(t.Context()))
				return len(w.webApps()) == 0
			})
		})
	}
}

// While Google does not make a web app, everything else goes on, and the result says what it waits
// for; if Google refuses it, that ends it, with Google's words, and one question is enough for all
// devices.
func TestWebAppThatGoogleDoesNotMake(t *testing.T) {
	w := newWorld(t)
	d, id := w.enroll("S", simulator.DeviceOptions{})
	p := w.webApp("Intranet", "https://intranet.example/")
	w.steady(id)
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	for _, one := range w.webApps() { // somebody deletes it at Google, and it is asked for again
		w.must(w.channel.DeleteWebApp(t.Context(), one.Name))
	}
	_, err := w.catalog.Update(t.Context(), p, catalog.Patch{Properties: json.RawMessage(
		`{"displayMode":"minimalUi"}`)})
	w.must(err)
	w.service.AddTrouble(simulator.Trouble{Method: "webApps.create", Status: 503})
	w.quiet[d] = true
	w.call(id)
	w.served()
	if r := w.result(id, p); !strings.Contains(r.Detail, "Google has not made the web app yet") {
		t.Errorf("before the device reports: %+v", r)
	}
	w.quiet[d] = false
	wifi := w.wifi("Office")
	w.until("the network is there", func() bool {
		return w.payload(id, wifi).Work.Phase == action.Idle && ssids(d) == "Office"
	})
	if r := w.result(id, p); r.Status.Final() || !strings.Contains(r.Detail,
		"Google has not made the web app yet") {
		t.Errorf("while it waits: %+v", r)
	}
	w.service.ClearTroubles()
	w.service.AddTrouble(simulator.Trouble{Method: "webApps.create", Status: 400,
		Message: "Invalid value at 'web_app.title'."})
	_, other := w.enroll("T", simulator.DeviceOptions{})
	w.within(30*time.Second, "it failed", func() bool {
		return w.payload(id, p).Work.Phase == action.Stuck &&
			w.payload(other, p).Work.Phase == action.Stuck
	})
	if r := w.result(id, p); r.Code != 4400 || !strings.Contains(r.Detail, "web_app.title") {
		t.Errorf("when Google refused it: %+v", r)
	}
	before := w.service.Calls("webApps.create")
	for _, serial := range serials(3) {
		_, next := w.enroll("more "+serial, simulator.DeviceOptions{})
		w.until("it failed there, too", func() bool {
			return w.payload(next, p).Work.Phase == action.Stuck
		})
	}
	if n := w.service.Calls("webApps.create") - before; n > 0 {
		t.Errorf("Google was asked %d times for what it refuses", n)
	}
	if slices.ContainsFunc(w.webApps(), func(*androidmanagement.WebApp) bool { return true }) {
		t.Errorf("Google has %v", w.webApps())
	}
}

// A web app that Google has not made is off a device as soon as that says so: nobody can have it.
func TestWebAppIsRemovedBeforeItIsMade(t *testing.T) {
	w := newWorld(t)
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.service.AddTrouble(simulator.Trouble{Method: "webApps.create", Status: 503})
	wifi := w.wifi("Office")
	p := w.webApp("Intranet", "https://intranet.example/")
	w.until("the network is there", func() bool {
		return w.payload(id, wifi).Work.Phase == action.Idle
	})
	w.quiet[d] = true
	w.call(id, p, wifi)
	w.until("it is handed over", func() bool {
		return strings.Contains(w.result(id, wifi).Detail, "waiting for the device to take it")
	})
	w.reported(d)
	if !w.is(id, p, action.Removed) || !w.is(id, wifi, action.Removed) {
		t.Errorf("it is %+v", w.result(id, p))
	}
}

// While another server has Google change a web app, devices keep it as it is.
func TestWebAppStaysWhileItChanges(t *testing.T) {
	w := newWorld(t)
	_, id := w.enroll("S", simulator.DeviceOptions{})
	p := w.webApp("Intranet", "https://intranet.example/")
	w.steady(id)
	now := w.clock.Now()
	taken, err := w.store.TakeLease(t.Context(), "android/webApps", "another server", now,
		now.Add(time.Hour))
	if err != nil || !taken {
		t.Fatalf("the lease is not free: %v", err)
	}
	_, err = w.catalog.Update(t.Context(), p, catalog.Patch{Properties: json.RawMessage(
		`{"displayMode":"minimalUi"}`)})
	w.must(err)
	for range 5 {
		w.step(time.Second)
		policy, err := w.channel.Policy(t.Context(), id)
		w.must(err)
		if len(policy.Applications) != 1 ||
			policy.Applications[0].PackageName != w.made(p) {
			t.Fatalf("its policy has %+v", policy.Applications)
		}
	}
	w.must(w.store.ReleaseLease(t.Context(), "android/webApps", "another server"))
	w.within(10*time.Second, "it is changed", func() bool {
		return w.webApps()[0].DisplayMode == "MINIMAL_UI" && w.settled(id)
	})
}

// A web app that was at Google before is used, and not deleted there.
func TestWebAppOfSomebodyElse(t *testing.T) {
	w := newWorld(t)
	theirs, err := w.channel.MakeWebApp(t.Context(), "Intranet", "https://intranet.example/")
	w.must(err)
	_, id := w.enroll("S", simulator.DeviceOptions{})
	p := w.create("androidManagedStoreWebApp", "Intranet",
		`{"appStoreUrl":"https://intranet.example/","displayMode":"minimalUi"}`)
	w.steady(id)
	if app := w.made(p); app == "" || !strings.HasSuffix(theirs.Name, "/"+app) ||
		len(w.webApps()) != 1 || w.webApps()[0].DisplayMode != "MINIMAL_UI" {
		t.Errorf("it is %s, and Google has %+v", app, w.webApps())
	}
	w.must(w.catalog.Delete(t.Context(), p))
	w.within(time.Minute, "there is no record of it", func() bool {
		w.must(w.channel.Tidy(t.Context()))
		return w.made(p) == ""
	})
	if len(w.webApps()) != 1 {
		t.Error("what somebody else made was deleted")
	}
}
