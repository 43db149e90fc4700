package test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// badValue is a failure that trying again does not mend.
var badValue = []simulator.ErrorLink{
	{Domain: "MCInstallationErrorDomain", Code: 4001,
		Description: "The profile “Company VPN” could not be installed."},
	{Domain: "MCPayloadErrorDomain", Code: 2004,
		Description: "The field “RemoteAddress” has an invalid value."}}

// An error is shown with its code, what the device said, what that means and what to do; and all of
// it on the page of the fleet, which follows, too.
func TestConsoleErrorAndFleet(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.browse()
	b.signIn()
	b.open("/console/fleet")
	b.heads("Fleet")
	b.live()
	stays := b.unreloaded()
	b.reads("#removed", "Nothing is removed from any device")
	b.reads("#failures", "Nothing failed in this time")
	d.sync(d.phone, d.vpn, d.slide)
	d.ends(d.phone, "the removal ends")
	b.until("both are listed", `() => document.querySelectorAll("#removed tbody tr").length === 2`)
	b.reads("#removed tbody", "Company VPN")

	d.phone.AddHook(simulator.Hook{RequestType: "InstallProfile", Identifier: d.vpn.Identifier,
		Effect: simulator.AnswerError, Chain: badValue})
	d.sync(d.phone)
	if r := d.ends(d.phone, "the restoration ends"); r.of(d.vpn) != "restore/error" ||
		r.of(d.slide) != "restore/succeeded" {
		t.Fatalf("the API says %+v", r)
	}
	b.reads("#removed", "Nothing is removed from any device")
	b.reads("#failures .key-list", "4001")
	b.reads("#failures tbody th", "Anna-iPhone")
	if n := see[int](b,
		`() => document.querySelectorAll("#failures svg.chart g rect").length`); n != 1 {
		t.Errorf("the plot has %d bars", n)
	}
	stays()

	b.do(chromedp.Click(chromedp.CSS("#failures tbody th a")))
	b.heads("Anna-iPhone")
	row := "#monitor tr[data-key='" + d.vpn.ID + "'] "
	for selector, text := range map[string]string{
		"[data-label=Status]":           "Error",
		".explanation summary":          "Code 4001",
		".explanation div:nth-child(1)": "MCPayloadErrorDomain 2004: The field “RemoteAddress” has an invalid value.",
		".explanation div:nth-child(2)": "A field of a payload has a value that the device does not support.",
		".explanation div:nth-child(3)": "Correct the profile in the catalog.",
	} {
		b.reads(row+selector, text)
	}
}

// Who may only read sees everything and no button that would change anything.
func TestConsoleForReaders(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.sync(d.phone, d.vpn)
	d.ends(d.phone, "the removal ends")
	_, reader, err := d.server.Tokens().Create(t.Context(),
		access.TokenInput{Name: "reader", Role: access.ReadOnlyOperator})
	if err != nil {
		t.Fatal(err)
	}
	b := d.browse()
	b.open(b.page(d.phone)) // comes back to it after signing in
	b.heads("Sign in")
	b.do(chromedp.SendKeys(chromedp.CSS("#token"), reader),
		chromedp.Click(chromedp.CSS("form.stack button")))
	b.heads("Anna-iPhone")
	b.reads("#monitor", "Company VPN")
	b.reads("#assigned", "Removed")
	for _, path := range append(see[[]string](b,
		`() => [...document.querySelectorAll(".top nav a")].map((link) => link.pathname)`),
		b.page(d.phone)) {
		b.open(path)
		b.until(path+" is there",
			`(path) => location.pathname === path && document.readyState === "complete"`, path)
		found := see[[]string](b, `() => [...document.querySelectorAll("main form[method=post], main input[type=checkbox], main .primary, main .danger")]
			.map((e) => e.outerHTML)`)
		if len(found) > 0 {
			t.Errorf("%s offers a reader %s", path, strings.Join(found, "\n"))
		}
	}
	if text := see[string](b,
		`() => document.querySelector("main").innerText`); strings.Contains(text, "Restore all") ||
		strings.Contains(text, "Add more") {
		t.Errorf("a reader is shown\n%s", text)
	}
}
