package test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// Everybody can use every page: whoever goes by a screen reader or a keyboard, sees little, has a
// phone or a wide screen, and likes it light or dark.
func TestConsolePages(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.mixed()
	more := d.administered()
	b := d.browse()
	b.open("/console/sign-in")
	b.heads("Sign in")
	b.check()
	b.signIn()
	b.walk(append(more, "/console/?q=nothing-fits", "/console/?state=failed", "/console/audit",
		"/console/nowhere")...)
	b.forgive("status of 404")
	b.made()
	b.pictures(d)
}

// walk checks the pages that it is told, and every kind of page that they lead to.
func (b *browser) walk(queue ...string) {
	b.Helper()
	seen := map[string]bool{}
	for _, path := range queue {
		seen[kindOfPage(path)] = true
	}
	for n := 0; n < len(queue); n++ {
		path := queue[n]
		b.open(path)
		b.until(path+" is there",
			`() => document.readyState === "complete" && document.querySelector("h1") !== null`)
		b.check()
		b.Logf("checked %s", path)
		for _, link := range see[[]string](b,
			`() => [...document.links].filter((link) => link.origin === location.origin).map((link) => link.pathname)`) {
			if kind := kindOfPage(link); !seen[kind] {
				seen[kind] = true
				queue = append(queue, link)
			}
		}
	}
	if len(queue) < 30 {
		b.Errorf("there were only %d pages: %q", len(queue), queue)
	}
}

var (
	parameters = regexp.MustCompile(`/[0-9a-f-]{16,}|/\d+`)
	queries    = regexp.MustCompile(`\?.*`)
)

// kindOfPage is an address without what tells one page of a kind from another.
func kindOfPage(path string) string {
	return parameters.ReplaceAllString(queries.ReplaceAllString(path, ""), "*")
}

// made checks the pages that a form leads to.
func (b *browser) made() {
	b.Helper()
	file := filepath.Join(b.TempDir(), "wifi.mobileconfig")
	if err := os.WriteFile(file, mobileconfig("com.example.uploaded", uuid.NewString()),
		0o600); err != nil {
		b.Fatal(err)
	}
	b.open("/console/catalog/policies/new?type=file")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	b.click(".form .primary")
	b.reads("h2", "What wifi.mobileconfig contains")
	b.check()

	b.open("/console/enrollment")
	b.click("form[action='/console/enrollment'] .primary")
	b.reads("h2", "The link")
	b.check()
	b.picture("enrollment", 1280, "light")

	b.open("/console/tokens")
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "From the browser"),
		chromedp.SetValue(chromedp.CSS("#role"), access.ReadOnlyOperator))
	b.click("form[action^='/console/tokens'] .primary")
	b.heads("The token From the browser is made")
	b.check()

	b.open("/console/tokens")
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), "From the browser"),
		chromedp.SetValue(chromedp.CSS("#role"), access.ReadOnlyOperator))
	b.click("form[action^='/console/tokens'] .primary")
	b.reads(".alert.bad", "No token was made")
	b.check()
	b.forgive("status of 40")
}
