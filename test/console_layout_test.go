package test

import "testing"

// The head of every page is tidy at every width: the name and the way out are in its first row, the
// sections in one row of their own or beside them, and on a phone in two at most.
func TestConsoleHead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browse()
	b.signIn()
	type head struct {
		Beside   bool // the way out is in the row of the brand, at the right edge
		Rows     int  // of sections
		Together bool // the sections are in the brand's row, too
	}
	for width, want := range map[int64]head{380: {true, 2, false}, 800: {true, 1, false},
		1200: {true, 1, false}, 1280: {true, 1, true}, 1600: {true, 1, true}} {
		b.size(width, "light")
		got := see[head](b, `() => {
			const box = (selector) => document.querySelector(selector).getBoundingClientRect();
			const middle = (r) => (r.top + r.bottom) / 2;
			const brand = box(".brand"), out = box(".who button"), top = box(".top");
			const rows = [...new Set([...document.querySelectorAll(".top li")].map((e) => e.getBoundingClientRect().top))];
			return {
				beside: Math.abs(middle(out) - middle(brand)) < 4 && top.right - out.right < 40,
				rows: rows.length,
				together: Math.abs(middle(box(".top li")) - middle(brand)) < 4,
			};
		}`)
		if got != want {
			t.Errorf("at %d pixels the head is %+v, want %+v", width, got, want)
		}
	}

	// What a row of a table can do is at its right edge.
	s.must("POST", "/beta/deviceManagement/roleScopeTags",
		map[string]any{"displayName": "School", "description": "What pupils use"}, nil)
	for path, button := range map[string]string{"/console/roles": "section[aria-labelledby=tags] td .button", "/console/tokens": "td .button"} {
		b.open(path)
		b.until(path+" is there",
			`(button) => document.readyState === "complete" && document.querySelector(button) !== null`, button)
		b.size(1600, "light")
		if gap := see[float64](b, `(button) => {
			const e = document.querySelector(button);
			return e.closest("table").getBoundingClientRect().right - e.getBoundingClientRect().right;
		}`, button); gap < 0 || gap > 16 {
			t.Errorf("%s: the button ends %v pixels before the table does", path, gap)
		}
	}
}
