package notify_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

func TestHandshake(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	good := newReceiver(t)
	text := func(status int, media string, body func(token,
		raw string) string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, q *http.Request) {
			_, raw, _ := strings.Cut(q.URL.RawQuery, "validationToken=")
			w.Header().Set("Content-Type", media)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body(q.URL.Query().Get("validationToken"), raw))
		}
	}
	token := func(token, _ string) string { return token }
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		says   string // empty: it passes
	}{
		"good": {echo, ""},
		"line end": {text(200, "text/plain", func(token, _ string) string {
			return token + "\n"
		}), ""},
		"capitals": {text(200, "Text/Plain; charset=UTF-8", token), ""},
		"another token": {text(200, "text/plain", func(string, string) string { return "x" }),
			"not the decoded validationToken"},
		"not decoded": {text(200, "text/plain", func(_, raw string) string { return raw }),
			"not the decoded validationToken"},
		"more than it": {text(200, "text/plain", func(token, _ string) string {
			return token + strings.Repeat("x", 1<<20)
		}), "not the decoded validationToken"},
		"nothing": {text(200, "text/plain", func(string, string) string { return "" }),
			"not the decoded validationToken"},
		"HTML":     {text(200, "text/html", token), "text/plain"},
		"no type":  {text(200, "", token), "text/plain"},
		"accepted": {text(202, "text/plain", token), "status 202"},
		"refused":  {text(403, "text/plain", token), "status 403"},
		"another address": {http.RedirectHandler(good.URL+"/changes",
			http.StatusTemporaryRedirect).ServeHTTP, "status 307"},
		"hangs up": {func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, "connection to it failed"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := newReceiver(t)
			bad.answer = tt.answer
			for property, in := range map[string]notify.Input{
				"notificationUrl":          {URL: bad.URL + "/?key=1", LifecycleURL: good.URL},
				"lifecycleNotificationUrl": {URL: good.URL, LifecycleURL: bad.URL},
			} {
				full := w.input(good)
				full.URL, full.LifecycleURL = in.URL, in.LifecycleURL
				_, err := w.Create(t.Context(), who, full)
				var u *notify.Unvalidated
				switch {
				case tt.says == "" && err != nil:
					t.Error(err)
				case tt.says != "" && (!errors.As(err, &u) || u.Property != property ||
					!strings.Contains(u.Reason, tt.says)):
					t.Errorf("%s: %v", property, err)
				}
			}
		})
	}
}

// Who takes too long is refused, with the answer as with its body.
func TestSlowHandshake(t *testing.T) {
	w := newWorld(t, func(c *notify.Config) { c.HandshakeTimeout = time.Second })
	who, _ := w.owner(access.TokenInput{})
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"answer": func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() },
		"body": func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.(http.Flusher).Flush()
			<-q.Context().Done()
		},
	} {
		slow := newReceiver(t)
		slow.answer = answer
		in := w.input(slow)
		in.LifecycleURL = ""
		var u *notify.Unvalidated
		if _, err := w.Create(t.Context(), who, in); !errors.As(err, &u) ||
			!strings.Contains(u.Reason, "did not answer within 1s") {
			t.Errorf("slow %s: %v", name, err)
		}
	}
}

// What the other side says is not given back to who asked: it could be something else than a
// receiver.
func TestStrangerIsNotQuoted(t *testing.T) {
	w := newWorld(t, func(c *notify.Config) { c.RootCAs = nil })
	who, _ := w.owner(access.TokenInput{})
	_, err := w.Create(t.Context(), who, w.input(newReceiver(t)))
	var u *notify.Unvalidated
	if !errors.As(err, &u) || !strings.Contains(u.Reason, "CA that is not known") {
		t.Errorf("an unknown CA: %v", err)
	}
}
