package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// An admin finds a phone, takes three things off it, watches, puts one back, and the server puts
// back the rest.
func TestConsoleStory(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.browse()
	link := d.signInLink()
	b.open(link)
	b.heads("Devices")
	b.search()
	b.remove(d)
	b.restoreOne(d)
	b.restoredByItself(d)
	b.history(d)

	// The link has done its work.
	b.do(chromedp.Click(chromedp.CSS(".who button")))
	b.heads("Sign in")
	b.open(link)
	b.reads(".alert.bad", "not valid")
	b.forgive("status of 401")
}

// search types a name; the list follows without being loaded again.
func (b *browser) search() {
	b.Helper()
	stays := b.unreloaded()
	b.reads("[data-count]", "1 to 4 of 4 devices")
	b.do(chromedp.SendKeys(chromedp.CSS("#q"), "anna"))
	b.reads("[data-count]", "1 to 1 of 1 device")
	stays()
	b.click("tbody th a")
	b.heads("Anna-iPhone")
}

func (b *browser) remove(d *desk) {
	b.Helper()
	b.reads("#monitor", "Nothing was ever removed")
	for _, p := range []payload{d.wifi, d.vpn, d.slide} {
		b.click(tick(p))
	}
	b.reads("[data-ticked]", "3 to be off")
	b.click("#assigned .primary")
	b.heads("Review")
	b.reads(".alert.warn",
		"Office Wi-Fi: it carries the Wi-Fi network “Example Office”, by which the device may reach the server")
	if got := b.reviewed(); !slices.Equal(got,
		[]string{"Will be removed: Company VPN, Keynote, Office Wi-Fi",
			"Left alone: Exam restrictions, Pages, Work email"}) {
		b.Errorf("the review foresees %q", got)
	}
	if r := b.expected(d.phone); r.State != "" {
		b.Fatalf("the review has started something: %+v", r)
	}
	d.phone.SetOnline(false)
	b.click(".confirm .primary")
	b.reads(".alert.good", "The action was started")
	b.live()

	stays := b.unreloaded()
	if m := b.shows(d.phone); m.State != "Waiting for the device" ||
		m.of(d.vpn) != "Remove/In progress: waiting for the device" {
		b.Errorf("at first is shown %+v", m)
	}
	d.phone.SetLocked(true)
	d.phone.SetOnline(true)
	shown := b.watch(d.phone, "the phone says not now",
		func(m monitor) bool { return strings.Contains(m.of(d.vpn), "not now") })
	// so that verifying takes its time
	d.phone.AddHook(simulator.Hook{RequestType: "ProfileList", Effect: simulator.LoseCommand})
	d.phone.SetLocked(false)
	for id, lines := range b.watch(d.phone, "the removal ends", hasEnded) {
		shown[id] = append(shown[id], lines...)
	}
	stays()
	for _, words := range []string{"waiting for the device", "not now", "verifying", "Removed"} {
		if !slices.ContainsFunc(shown[d.vpn.ID],
			func(line string) bool { return strings.Contains(line, words) }) {
			b.Errorf("of the VPN was never shown %q, but %q", words, shown[d.vpn.ID])
		}
	}
	if !has(d.phone, d.mail, d.limits, d.mobileApp) {
		b.Errorf("the phone has %v", inventory(d.phone))
	}
}

// tick is the box that says that a payload is to be off.
func tick(p payload) string { return "[id='off-" + p.ID + "']" }

// reviewed are the parts of the review, in words.
func (b *browser) reviewed() []string {
	b.Helper()
	return see[[]string](b, `() => [...document.querySelectorAll("section.review")].map((part) =>
		part.querySelector("h2").firstChild.data.trim() + ": " + [...part.querySelectorAll("li strong")].map((name) => name.textContent).sort().join(", "))`)
}

func (b *browser) restoreOne(d *desk) {
	b.Helper()
	due := b.countdown(d)
	b.clock.Advance(time.Hour)
	b.click("#monitor input[value='" + d.vpn.ID + "']")
	b.click("#monitor button[value=restore]")
	b.heads("Review")
	if got := b.reviewed(); !slices.Equal(got,
		[]string{"Will be restored: Company VPN", "Off already: Keynote, Office Wi-Fi",
			"Left alone: Exam restrictions, Pages, Work email"}) {
		b.Errorf("the review foresees %q", got)
	}
	b.click(".confirm .primary")
	b.reads(".alert.good", "The action was started")
	b.live()
	stays := b.unreloaded()
	b.watch(d.phone, "the restoration ends", hasEnded)
	stays()
	if m := b.shows(d.phone); m.State != "Done" || m.of(d.vpn) != "Restore/Restored" ||
		m.of(d.wifi) != "Remove/Removed" {
		b.Errorf("shown is %+v", m)
	}
	if again := b.countdown(d); again.Sub(due).Abs() > time.Minute {
		b.Errorf("what stays off was to come back at %v, now at %v", due, again)
	}
}

// countdown checks that the countdown is to the time that the API says, by the server's clock, and
// returns that time.
func (b *browser) countdown(d *desk) time.Time {
	b.Helper()
	var list struct {
		Value []struct{ RestoreDateTime *time.Time }
	}
	b.must("GET", "/api/devices/"+b.ids[d.phone]+"/payloads", nil, &list)
	var due time.Time
	for _, p := range list.Value {
		if p.RestoreDateTime != nil && (due.IsZero() || p.RestoreDateTime.Before(due)) {
			due = *p.RestoreDateTime
		}
	}
	b.until("the countdown is to "+due.String(),
		`(due) => document.querySelector(".restore time")?.dateTime === due`,
		due.UTC().Format("2006-01-02T15:04:05.000Z"))
	text := see[string](b, `() => document.querySelector(".restore time").textContent`)
	parts := regexp.MustCompile(`^in (\d\d):(\d\d):(\d\d)$`).FindStringSubmatch(text)
	if parts == nil {
		b.Fatalf("the countdown says %q", text)
	}
	left, _ := time.ParseDuration(parts[1] + "h" + parts[2] + "m" + parts[3] + "s")
	// the page counts in real time, and the test has none
	if off := left - due.Sub(b.clock.Now()); off.Abs() > time.Minute {
		b.Errorf("the countdown says %q, and it is %v until then", text, due.Sub(b.clock.Now()))
	}
	return due
}

// restoredByItself lets the time pass that is left.
func (b *browser) restoredByItself(d *desk) {
	b.Helper()
	stays := b.unreloaded()
	b.clock.Advance(server8h - time.Hour)
	b.watch(d.phone, "the server restores the rest", func(m monitor) bool {
		return hasEnded(m) && m.of(d.wifi) == "Restore/Restored" &&
			m.of(d.slide) == "Restore/Restored"
	})
	b.reads("#monitor .progress", "by system")
	b.reads("#history-title + div", "started by admin")
	stays()
	if !has(d.phone, d.all()...) {
		b.Errorf("the phone has %v", inventory(d.phone))
	}
}

// history shows what became of every payload, step by step.
func (b *browser) history(d *desk) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS("a[href$='/history']")))
	b.heads("History")
	got := see[[]string](b,
		`() => [...document.querySelectorAll(".past")].map((past) => past.querySelector(".hint").textContent)`)
	if len(got) != 3 || !strings.HasPrefix(got[0], "2 restored; started by system") ||
		!strings.HasPrefix(got[1], "2 removed, 1 restored; started by admin") ||
		!strings.HasPrefix(got[2], "3 removed; started by admin") {
		b.Errorf("the history is %q", got)
	}
	steps := see[[]string](b,
		`(id) => [...[...document.querySelectorAll(".past")].at(-1).querySelectorAll("li[data-key='" + id + "'] .steps li")].map((step) => step.firstChild.data.trim())`, d.vpn.ID)
	for _, step := range []string{"asked", "sent", "not now", "acknowledged", "verified: removed"} {
		if !slices.Contains(steps, step) {
			b.Errorf("the VPN's removal lacks the step %q: %q", step, steps)
		}
	}
	if n := see[int](b,
		`() => [...document.querySelectorAll(".past")].at(-1).querySelectorAll("li[data-key] svg rect").length`); n < 3*3 {
		b.Errorf("the pictures of the first action have %d pieces", n)
	}
}
