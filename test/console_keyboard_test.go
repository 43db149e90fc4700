package test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// The whole way with nothing but a keyboard: sign in, find, pick, review, confirm, watch, restore.
func TestConsoleByKeyboard(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.browse()
	const named = `(e, name) => (e.innerText || e.ariaLabel || e.value).trim() === name`
	const is = `(e, selector) => e.matches(selector)`
	choose := func(p payload) {
		t.Helper()
		b.tab("the box of "+p.Identifier, is, tick(p))
		b.press(" ")
	}

	b.open("/console/")
	b.heads("Sign in")
	b.tab("the token", is, "#token")
	b.press(d.token)
	b.press(kb.Enter)
	b.heads("Devices")

	b.press(kb.Tab)
	b.press(kb.Enter) // skip to the content
	b.tab("the search", is, "#q")
	b.press("anna")
	b.reads("[data-count]", "1 to 1 of 1 device")
	b.tab("the device", named, "Anna-iPhone")
	b.press(kb.Enter)
	b.heads("Anna-iPhone")
	b.live()

	choose(d.vpn) // in the order of the page
	choose(d.slide)
	b.reads("[data-ticked]", "2 to be off")
	b.tab("the button", named, "Review")
	b.press(kb.Enter)
	b.heads("Review")
	b.tab("when to restore", is, "input[name=restore]:checked")
	b.press(kb.ArrowDown)
	b.tab("the button", named, "Confirm")
	b.press(kb.Enter)
	b.heads("Anna-iPhone")
	b.live()
	b.watch(d.phone, "the removal ends", hasEnded)

	b.tab("the box", is, "#monitor input[value='"+d.slide.ID+"']")
	b.press(" ")
	b.tab("the button", named, "Restore selected")
	// What happens on the device meanwhile takes the focus from nobody.
	d.sync(d.phone, d.vpn, d.slide, d.mail)
	b.watch(d.phone, "a third removal ends", hasEnded)
	if !see[bool](b,
		`() => document.activeElement.innerText === "Restore selected" && document.querySelector("#monitor input:checked").value !== ""`) {
		t.Error("the focus, or what was ticked, is lost by an update")
	}
	b.press(kb.Enter)
	b.heads("Review")
	b.tab("the button", named, "Confirm")
	b.press(kb.Enter)
	b.heads("Anna-iPhone")
	b.live()
	b.watch(d.phone, "the restoration ends", hasEnded)
	if !has(d.phone, d.wifi, d.limits, d.mobileApp, d.slide) {
		t.Errorf("the phone has %v", inventory(d.phone))
	}
}
