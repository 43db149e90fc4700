package test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser is a headless Chromium with an empty profile and one page, which may reach nothing but
// the site's server.
type browser struct {
	*site
	ctx context.Context

	mu        sync.Mutex
	loads     int             // documents that the page has loaded
	reached   map[string]bool // origins that were asked for anything
	complains []string        // what the browser wrote to its console, but for requests that failed
	failed    []string        // requests that failed
	meant     []string        // why requests fail that are meant to
}

// patience is how long a page may take for anything on a machine that is busy.
const patience = 30 * time.Second

// browse starts a browser. What it complains of fails the test.
func (s *site) browse() *browser {
	s.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(s)),
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("lang", "en-US"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.Flag("ignore-certificate-errors-spki-list", s.fingerprint()))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	s.Cleanup(stop)
	b := &browser{site: s, reached: map[string]bool{}}
	var end context.CancelFunc
	b.ctx, end = chromedp.NewContext(allocator, chromedp.WithListener(b.listen))
	s.Cleanup(end)
	// the first run has no time limit
	if err := chromedp.Do(b.ctx, steps(network.Enable, network.EnableParams{})); err != nil {
		s.Fatalf("starting Chromium: %v", err)
	}
	b.do(steps(emulation.SetTimezoneOverride,
		emulation.SetTimezoneOverrideParams{TimezoneID: "UTC"}))
	b.size(1280, "light")
	s.Cleanup(b.verdict)
	return b
}

// chromium finds the browser. Without one the console is not tested, which is no success.
func chromium(s *site) string {
	s.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome",
		"google-chrome-stable",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	s.Fatal("no Chromium: make tools installs it; on Debian: sudo apt-get update && sudo apt-get install -y chromium")
	return ""
}

// fingerprint is how Chromium knows the server's own CA, which nobody else knows.
func (s *site) fingerprint() string {
	s.Helper()
	conn, err := tls.Dial("tcp", s.config.Listen, s.transport().TLSClientConfig)
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	chain := conn.ConnectionState().PeerCertificates
	sum := sha256.Sum256(chain[len(chain)-1].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *page.EventFrameNavigated:
		b.loads++
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") {
			b.reached[origin(e.Request.URL)] = true
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.complains = append(b.complains, text)
	case *runtime.EventConsoleAPICalled:
		b.complains = append(b.complains, "console."+string(e.Type))
	case *log.EventEntryAdded:
		text := fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		if e.Entry.Source == log.EntrySourceNetwork {
			b.failed = append(b.failed, text)
		} else {
			b.complains = append(b.complains, text)
		}
	}
}

func origin(url string) string {
	parts := strings.SplitN(url, "/", 4)
	return strings.Join(parts[:min(3, len(parts))], "/")
}

// verdict is at the end of a test: nothing was asked of another server, no policy was violated,
// nothing was thrown.
func (b *browser) verdict() {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.reached, b.url)
	delete(b.reached, "about:blank")
	if len(b.reached) > 0 {
		b.Errorf("other servers were asked: %v", b.reached)
	}
	for _, reason := range b.meant {
		before := len(b.failed)
		b.failed = slices.DeleteFunc(b.failed,
			func(text string) bool { return strings.Contains(text, reason) })
		if len(b.failed) == before {
			b.Errorf("no request failed with %s", reason)
		}
	}
	for _, text := range append(b.complains, b.failed...) {
		b.Errorf("the browser complains: %s", text)
	}
	if b.Failed() {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		if picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot()); err == nil {
			keep(b.T, "failed "+b.Name(), picture)
		}
	}
}

// forgive says that requests fail for a reason, at least one of them. It is looked at at the end,
// because the browser may tell of a request later than the page shows what came of it.
func (b *browser) forgive(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.meant = append(b.meant, reason)
}

// keep writes a picture to where CI collects what a run leaves.
func keep(t interface {
	Helper()
	Fatal(...any)
}, name string, picture []byte) {
	t.Helper()
	folder := filepath.Join("..", ".ci", "out")
	err := os.MkdirAll(folder, 0o755)
	if err == nil {
		name = strings.NewReplacer("/", "-", " ", "-").Replace(name)
		err = os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// steps is a command of the browser as an action.
func steps[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, command, params)
		return chromedp.Void{}, err
	}
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatalf("the browser: %v", err)
	}
}

// size is the width of the window, and whether people want it light or dark.
func (b *browser) size(width int64, scheme string) {
	b.Helper()
	b.sizeTo(width, map[bool]int64{true: 800, false: 1000}[width < 500])
	b.do(steps(emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}}}))
}

func (b *browser) sizeTo(width, height int64) {
	b.Helper()
	b.do(steps(emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height,
			DeviceScaleFactor: 1, Mobile: width < 500}))
}

// open loads a page of the console.
func (b *browser) open(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.url + path))
}

// loaded is how many documents the page has loaded.
func (b *browser) loaded() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.loads
}

// ask calls a JavaScript function in the page. Its arguments and its answer travel as JSON.
func ask[T any](b *browser, function string, args ...any) (answer T, err error) {
	given, err := json.Marshal(append([]any{}, args...))
	if err != nil {
		return answer, err
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T]("("+function+")(..."+string(given)+")",
		chromedp.EvalAwaitPromise))
}

// see is ask of a function that does not fail.
func see[T any](b *browser, function string, args ...any) T {
	b.Helper()
	answer, err := ask[T](b, function, args...)
	if err != nil {
		b.Fatalf("in the page: %v", err)
	}
	return answer
}

// until waits until a function is true of the page, whatever it loads meanwhile. chromedp.Poll
// cannot: it makes functions of text, which the console's Content-Security-Policy forbids.
func (b *browser) until(what, function string, args ...any) {
	b.Helper()
	waiting := `async (...args) => {
		for (let end = Date.now() + 5000; Date.now() < end;) {
			if ((` + function + `)(...args)) return true;
			await new Promise((again) => setTimeout(again, 10));
		}
		return false;
	}`
	for end := time.Now().Add(patience); time.Now().Before(end); {
		// An error is that of a document that has gone while it was asked.
		if ok, err := ask[bool](b, waiting, args...); err == nil && ok {
			return
		} else if errors.Is(err, context.Canceled) {
			break
		}
	}
	shown, _ := ask[string](b, `() => location.pathname + "\n" + document.body.innerText`)
	b.Fatalf("never: %s. Shown is %s", what, shown)
}

// reads waits until an element says a text.
func (b *browser) reads(selector, text string) {
	b.Helper()
	b.until(selector+" says "+text,
		`(selector, text) => [...document.querySelectorAll(selector)].some((e) => e.innerText.includes(text))`, selector, text)
}

// heads waits until the page under this heading is there, and its script has run.
func (b *browser) heads(title string) {
	b.Helper()
	b.until("the page "+title,
		`(title) => document.readyState === "complete" && document.querySelector("h1")?.innerText === title`, title)
}

func (b *browser) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(selector, chromedp.NodeVisible))
}

// press presses keys where the focus is.
func (b *browser) press(keys string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tab presses the tab key until the focus is on an element of which the function is true.
func (b *browser) tab(what, function string, args ...any) {
	b.Helper()
	for range 100 {
		b.press(kb.Tab)
		if see[bool](b, `(...args) => (`+function+`)(document.activeElement, ...args)`, args...) {
			return
		}
	}
	b.Fatalf("100 tabs lead not to %s", what)
}

// picture keeps a picture of the whole page, in a window of this width that is high enough for it.
func (b *browser) picture(name string, width int64, scheme string) {
	b.Helper()
	b.size(width, scheme)
	b.sizeTo(width, max(800, see[int64](b, `() => document.documentElement.scrollHeight`)))
	keep(b.T, strings.TrimSuffix(fmt.Sprintf("%s %d %s", name, width, scheme), " light"),
		b.capture())
}

// capture is a picture of what the window shows, as PNG.
func (b *browser) capture() []byte {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Fatal(err)
	}
	return picture
}
