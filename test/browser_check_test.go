package test

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

var (
	//go:embed browser_check.js
	checkScript string
	//go:embed browser_focus.js
	focusScript string
)

// named are the roles whose elements a screen reader tells by their names.
var named = []string{"button", "checkbox", "combobox", "image", "img", "link", "listbox", "meter",
	"navigation", "progressbar", "radio",
	"search", "searchbox", "slider", "spinbutton", "table", "textbox", "DisclosureTriangle",
	"heading", "Date", "DateTime", "InputTime"}

// check looks for what keeps people from using the page: at every width, and light and dark with
// either layout.
func (b *browser) check() {
	b.Helper()
	where := see[string](b, `() => location.pathname`)
	found := map[string]string{}
	for _, look := range []struct {
		width  int64
		scheme string
	}{{380, "dark"}, {380, "light"}, {800, "light"}, {1600, "light"}, {1600, "dark"}} {
		b.size(look.width, look.scheme)
		for _, text := range see[[]string](b, checkScript) {
			found[text] = fmt.Sprintf("%d pixels, %s", look.width, look.scheme)
		}
	}
	for text, at := range found {
		b.Errorf("%s, %s: %s", where, at, text)
	}
	b.size(1280, "light")
	b.checkNames(where)
	b.checkFocus(where)
}

// checkNames asks the browser what it tells a screen reader.
func (b *browser) checkNames(where string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree,
		accessibility.GetFullAXTreeParams{})
	if err != nil {
		b.Fatalf("reading the accessibility tree: %v", err)
	}
	text := func(v *accessibility.Value) (s string) {
		if v != nil {
			_ = json.Unmarshal(v.Value, &s) // numbers name nothing
		}
		return s
	}
	for _, n := range tree.Nodes {
		if role := text(n.Role); !n.Ignored && slices.Contains(named, role) && text(n.Name) == "" {
			b.Errorf("%s: a %s has no name (node %s)", where, role, n.NodeID)
		}
	}
}

// stop is an element that the tab key led to.
type stop struct {
	Place int    // in the order of the document; -1: it is none of those that were expected
	What  string // for a message
	Wrong string // what is wrong with how it is shown; empty: nothing
}

// checkFocus goes through the page with the tab key: everything is reached, in order, and it is
// seen where the focus is.
func (b *browser) checkFocus(where string) {
	b.Helper()
	all := see[int](b, focusScript)
	const reached = `() => window.reached()`
	stops := see[[]stop](b, reached)
	// some have parts with stops of their own
	for more := all; more > 0 && len(stops) < 4*all &&
		(len(stops) == 0 || stops[len(stops)-1].Place < all-1); more = 3 {
		b.do(slices.Repeat([]chromedp.Action[chromedp.Void]{tabKey}, more)...)
		stops = see[[]stop](b, reached)
	}
	last := -1
	for _, at := range stops {
		if at.Place != last && at.Place != last+1 {
			b.Errorf("%s: the tab key leads to %s, which is number %d, from number %d", where,
				at.What, at.Place, last)
			return
		}
		if at.Wrong != "" {
			b.Errorf("%s: %s: %s", where, at.What, at.Wrong)
		}
		last = at.Place
	}
	if last != all-1 {
		b.Errorf("%s: the tab key reaches %d of %d elements", where, last+1, all)
	}
}

// tabKey presses the tab key, in one message where chromedp.KeyEvent takes three.
var tabKey = steps(input.DispatchKeyEvent,
	input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: "Tab",
		Code: "Tab", WindowsVirtualKeyCode: 9})
