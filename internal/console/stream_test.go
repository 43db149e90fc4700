package console_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/console"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// listen opens a stream and hands on its lines until it ends.
func (b *browser) listen(ctx context.Context, path string, header ...string) <-chan string {
	b.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", b.server.URL()+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := b.http.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	if response.StatusCode != http.StatusOK ||
		response.Header.Get("Content-Type") != "text/event-stream" {
		b.Fatalf("%s: %s %v", path, response.Status, response.Header)
	}
	lines := make(chan string, 1024)
	go func() {
		defer close(lines)
		defer response.Body.Close()
		for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return lines
}

// await reads lines until one has a text, and returns the last id before it.
func (b *browser) await(lines <-chan string, text string) (id string) {
	b.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case line, more := <-lines:
			if !more {
				b.Fatalf("the stream ended without %q", text)
			}
			if rest, ok := strings.CutPrefix(line, "id: "); ok {
				id = rest
			}
			if strings.Contains(line, text) {
				return id
			}
		case <-limit:
			b.Fatalf("never: %q", text)
		}
	}
}

func TestEventsAreFollowedAndResumed(t *testing.T) {
	s := newSite(t)
	id := s.wifi("Office", "test.office")
	_, device := s.enroll("phone")
	b := s.signedIn(s.token)
	at := "/console/devices/" + device
	b.until(at, "On the device")
	ctx, leave := context.WithCancel(t.Context())
	lines := b.listen(ctx, at+"/events")
	b.await(lines, "event: snapshot")
	fleet := b.listen(t.Context(), "/console/events")
	b.await(fleet, "event: snapshot")
	b.post(at+"/actions", url.Values{"off": {id}})
	started := b.await(lines, "event: actionStarted")
	b.await(lines, `"actionState":"done"`)
	b.await(fleet, `"actionState":"done"`)
	leave()
	again := b.listen(t.Context(), at+"/events", "Last-Event-ID", started)
	if next := b.await(again, "event: "); next == started {
		t.Errorf("the stream goes on at %s, which was seen", next)
	}
	b.await(again, `"actionState":"done"`)
}

// streamer is an API whose every path is a stream that does not end by itself.
func streamer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// unsure is a gate that fails when told to.
type unsure struct {
	*access.Gate
	failing chan struct{} // closed: it fails
}

func (u *unsure) Admit(ctx context.Context, who *access.Identity) (*access.Principal, error) {
	select {
	case <-u.failing:
		return nil, errors.New("the database is busy")
	default:
		return u.Gate.Admit(ctx, who)
	}
}

// A stream ends soon after its session did, or what its reader may do changed, or that cannot be
// known.
func TestStreamsAreCut(t *testing.T) {
	db, err := store.Open(t.Context(), storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	tokens, roles := access.NewTokens(db, time.Now), access.NewRoles(db, uuid.NewString)
	sessions := access.NewSessions(db, 0, time.Now)
	gate := &unsure{&access.Gate{Tokens: tokens, Roles: roles}, make(chan struct{})}
	server := httptest.NewTLSServer(console.New(console.Config{API: http.HandlerFunc(streamer),
		Sessions: sessions, Tokens: tokens, Gate: gate,
		Audit: audit.NewRecorder(db, time.Now, uuid.NewString), Recheck: time.Millisecond}))
	t.Cleanup(server.Close)
	boss := &access.Principal{Grants: []access.Grant{{Rights: access.Rights()}}}
	for _, tt := range []struct {
		name string
		cut  func(token access.Token, secret string) error
	}{
		{"token revoked", func(token access.Token, _ string) error {
			return tokens.Revoke(t.Context(), token.ID)
		}},
		{"signed out", func(_ access.Token, secret string) error {
			return sessions.End(t.Context(), secret)
		}},
		{"another role", func(token access.Token, _ string) error {
			_, err := roles.CreateAssignment(t.Context(), boss,
				access.AssignmentInput{Name: "more", RoleID: access.HelpDeskOperator,
					Members: []string{"token:" + token.ID}})
			return err
		}},
		{"unknown", func(access.Token, string) error { close(gate.failing); return nil }},
	} {
		token, bearer, err := tokens.Create(t.Context(),
			access.TokenInput{Name: tt.name, Role: access.Administrator})
		if err != nil {
			t.Fatal(err)
		}
		who, err := tokens.Identify(t.Context(), bearer)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := sessions.Begin(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/console/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: "__Host-syncpayloads", Value: secret})
		response, err := server.Client().Do(r)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v, %v", tt.name, response, err)
		}
		if err := tt.cut(token, secret); err != nil {
			t.Fatal(err)
		}
		if _, err := response.Body.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: the stream goes on", tt.name)
		}
		_ = response.Body.Close()
	}
}
