package madeup_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/platform"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
	"github.com/syncpayloads/syncpayloads/test/madeup"
)

type object = map[string]any

// site is a running server that has kettles, too.
type site struct {
	*testing.T
	url, token string
	client     *http.Client
}

func newSite(t *testing.T) *site {
	t.Helper()
	running, err := server.Start(t.Context(),
		server.Config{DataDir: t.TempDir(), Database: storetest.Location(t), Listen: "127.0.0.1:0",
			RestoreAfter: time.Hour, Log: slog.New(slog.DiscardHandler),
			Platforms: []platform.Platform{madeup.Platform{}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = running.Close(closing)
	})
	ca, err := os.ReadFile(running.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust},
		ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := running.Tokens().Create(t.Context(),
		access.TokenInput{Name: "admin", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	return &site{t, running.URL(), token, &http.Client{Transport: transport, Jar: jar}}
}

// do sends a request and returns status and body.
func (s *site) do(method, path, contentType string, body []byte) (int, string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if !strings.HasPrefix(path, "/console/") && !strings.HasPrefix(path, "/kettles/") {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// api calls the API, which must answer with this status.
func (s *site) api(status int, method, path string, body any) object {
	s.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.Fatal(err)
	}
	code, answer := s.do(method, path, "application/json", text)
	if code != status {
		s.Fatalf("%s %s: %d %s", method, path, code, answer)
	}
	var o object
	if answer != "" {
		if err := json.Unmarshal([]byte(answer), &o); err != nil {
			s.Fatalf("%s %s: %v: %s", method, path, err, answer)
		}
	}
	return o
}

// values are the elements of a list, or of a property.
func values(o object, name string) []object {
	var list []object
	for _, v := range o[name].([]any) {
		list = append(list, v.(object))
	}
	return list
}

// kettle is a device with a store of its own.
type kettle struct {
	*site
	serial string
	apps   map[string]string // content by identifier
	rules  map[string]string
	refuse bool
}

func (s *site) kettle(serial string) *kettle {
	return &kettle{site: s, serial: serial, apps: map[string]string{}, rules: map[string]string{}}
}

// work connects, and does what it is told until there is nothing more.
func (k *kettle) work() {
	k.Helper()
	var m madeup.Message
	for range 50 {
		text, err := json.Marshal(m)
		if err != nil {
			k.Fatal(err)
		}
		status, answer := k.do("POST", "/kettles/"+k.serial, "application/json", text)
		if status == http.StatusNoContent {
			return
		}
		var o madeup.Order
		if err := json.Unmarshal([]byte(answer), &o); err != nil || status != http.StatusOK {
			k.Fatalf("%d %s: %v", status, answer, err)
		}
		m = k.obey(&o)
	}
	k.Fatal("the kettle is told more and more")
}

func (k *kettle) obey(o *madeup.Order) madeup.Message {
	m := madeup.Message{Task: o.Task}
	to := k.rules
	if strings.HasPrefix(o.Identifier, "app.") {
		to = k.apps
	}
	switch {
	case o.Do == "list":
		list := k.rules
		if o.Apps {
			list = k.apps
		}
		for id := range list {
			m.Holds = append(m.Holds, id)
		}
	case k.refuse:
		m.Refused, m.Why = 418, "short and stout"
	case o.Do == "take":
		to[o.Identifier] = string(o.Content)
	default:
		delete(to, o.Identifier)
	}
	return m
}

// told checks that the words for the failure are served wherever it is.
func (s *site) told(device string) {
	s.Helper()
	const words = "This kettle is a teapot."
	for _, path := range []string{"/api/devices/" + device + "/actions",
		"/api/devices/" + device + "/payloads", "/api/failures"} {
		if status, text := s.do("GET", path, "", nil); status != http.StatusOK ||
			!strings.Contains(text, words) {
			s.Errorf("%s does not tell what the failure means: %d %s", path, status, text)
		}
	}
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+"/api/devices/"+device+"/events?after=0",
		nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "payloadChanged") &&
			strings.Contains(lines.Text(), words) {
			return
		}
	}
	s.Errorf("the stream does not tell what the failure means: %v", lines.Err())
}

// ends checks how the payloads of the device's action ended.
func (s *site) ends(device string, want ...string) []object {
	s.Helper()
	results := values(s.api(http.StatusOK, "GET", device+"?$select=deviceActionResults", nil),
		"deviceActionResults")
	list := values(results[0], "deviceActionPayloads")
	var got []string
	for _, one := range list {
		if one["status"] != "removed" || slices.Contains(want, "removed") {
			got = append(got, one["status"].(string))
		}
	}
	if !slices.Equal(got, want) {
		s.Fatalf("the action ended as %v, want %v: %v", got, want, list)
	}
	return list
}

func (s *site) signIn() {
	s.Helper()
	s.send("/console/sign-in", url.Values{"token": {s.token}}, "Devices")
}

func (s *site) page(path string, want ...string) {
	s.Helper()
	_, text := s.do("GET", path, "", nil)
	s.holds(path, text, want)
}

func (s *site) send(path string, form url.Values, want ...string) {
	s.Helper()
	_, text := s.do("POST", path, "application/x-www-form-urlencoded", []byte(form.Encode()))
	s.holds(path, text, want)
}

func (s *site) holds(path, text string, want []string) {
	s.Helper()
	for _, one := range want {
		if !strings.Contains(text, one) {
			s.Errorf("%s lacks %q: %s", path, one, text)
		}
	}
}
