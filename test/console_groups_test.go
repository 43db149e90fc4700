package test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// shownGroups are the names that a picker shows, a star behind those that are chosen.
const shownGroups = `() => [...document.querySelector("[data-picked]").children].map((row) =>
	row.querySelector("label").textContent.trim() + (row.querySelector("input")?.checked || row.querySelector("select")?.value ? "*" : ""))`

// picks waits until a picker shows these groups.
func (b *browser) picks(want ...string) {
	b.Helper()
	b.until(fmt.Sprintf("the groups %q are shown", want),
		`(want) => JSON.stringify((`+shownGroups+`)()) === JSON.stringify(want)`, want)
}

// retype types over what stands in a field.
func (b *browser) retype(selector, text string) {
	b.Helper()
	see[bool](b, `(selector) => {
		const e = document.querySelector(selector);
		e.focus();
		e.select();
		return true;
	}`, selector)
	b.press(text)
}

// Of many groups those are found whose names are typed, on the server; what is chosen stays; and a
// keyboard is enough.
func TestConsoleFindsGroups(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var ids []string
	for i := range 40 {
		ids = append(ids, s.group(fmt.Sprintf("Class %02d", i)))
	}
	b := s.browse()
	b.signIn()
	const is = `(e, selector) => e.matches(selector)`
	b.open("/console/roles/" + access.HelpDeskOperator + "/assignments/new")
	b.heads("Assign Help Desk Operator")
	stays := b.unreloaded()
	if n := see[int](b, `() => document.querySelectorAll("[data-picked] input").length`); n != 12 {
		t.Errorf("at first %d groups are offered of 40", n)
	}
	b.reads("#groups-found", "40 groups; search")
	b.tab("the search", is, "#find-groups")
	b.press("class 37")
	b.picks("Class 37")
	b.reads("#groups-found[role=status]", "1 group fits.")
	b.tab("the box", is, "[data-picked] input")
	b.press(" ")
	if !see[bool](b, `() => document.querySelector("[data-picking]").checked`) {
		t.Error("a group is ticked, and the role still holds for all devices")
	}
	b.retype("#find-groups", "nothing")
	b.reads("#groups-found", "No group fits.")
	b.picks("Class 37*")
	b.retype("#find-groups", "05")
	b.press(kb.Enter) // which sends no form
	b.picks("Class 37*", "Class 05")
	b.click("[data-picked] li:last-child input")
	stays()
	b.check()

	// The enter key in another field saves, as in every form.
	b.do(chromedp.SendKeys(chromedp.CSS("#members"), "user:anna"),
		chromedp.SendKeys(chromedp.CSS("#name"), "Desk"))
	b.press(kb.Enter)
	b.heads("Help Desk Operator")
	b.reads(".alert.good", "The assignment is saved")
	b.reads("#assignments ~ table, section[aria-labelledby=assignments] table",
		"Class 37, Class 05")
	var list struct {
		Value []struct{ ResourceScopes []string }
	}
	s.must("GET", "/beta/deviceManagement/roleAssignments?$filter=displayName%20eq%20'Desk'", nil,
		&list)
	if len(list.Value) != 1 ||
		!slices.Equal(slices.Sorted(slices.Values(list.Value[0].ResourceScopes)),
			slices.Sorted(slices.Values([]string{ids[37], ids[5]}))) {
		t.Errorf("the assignment is %+v", list.Value)
	}
}

// The same for what is assigned, where each group is chosen in one of two ways.
func TestConsoleAssignsToFoundGroups(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 40 {
		s.group(fmt.Sprintf("Class %02d", i))
	}
	wifi := s.policy("Office Wi-Fi", "com.example.wifi", "com.apple.wifi.managed",
		"<key>SSID_STR</key><string>Example Office</string>")
	b := s.browse()
	b.signIn()
	b.open("/console/catalog/policies/" + wifi.ID)
	b.heads("Office Wi-Fi")
	stays := b.unreloaded()
	for _, choice := range []struct{ search, option string }{{"class 39", "get it"},
		{"class 38", "never get it"}} {
		b.retype("#find-groups", choice.search)
		b.until("it is found",
			`(search) => document.querySelector("[data-picked] tr:last-child label").textContent.toLowerCase().startsWith(search)`, choice.search)
		see[bool](b, `(text) => {
			const select = document.querySelector("[data-picked] tr:last-child select");
			select.value = [...select.options].find((option) => option.text === text).value;
			return select.dispatchEvent(new Event("change", { bubbles: true }));
		}`, choice.option)
	}
	b.retype("#find-groups", "08")
	b.picks("Class 39*", "Class 38*", "Class 08")
	stays()
	b.click("#assignments .primary")
	b.reads("#assignments", "Assigned to all devices, 1 group without 1 group.")
	b.picture("picker", 800, "dark")
}

// A search for devices on a group's page follows what is typed.
func TestConsoleFindsDevicesForAGroup(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	group := d.group("Reception")
	b := d.browse()
	b.signIn()
	b.open("/console/groups/" + group)
	b.heads("Reception")
	stays := b.unreloaded()
	b.do(chromedp.SendKeys(chromedp.CSS("#q"), "phone"))
	b.reads("[data-live=found]", "2 found")
	b.do(chromedp.SendKeys(chromedp.CSS("#q"), "s of nobody"))
	b.reads("[data-live=found]", "No device fits.")
	b.retype("#q", "anna")
	b.reads("[data-live=found]", "1 found")
	stays()
	b.click("[data-live=found] button")
	b.reads(".alert.good", "The device is in the group now")
	b.reads("section[aria-labelledby=members-title]", "Anna-iPhone")
}
