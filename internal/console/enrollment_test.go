package console_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/html"
	"rsc.io/qr"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

func TestEnrollmentLinkEnrollsADevice(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	b.open("/console/enrollment").has(200,
		"Make a link").hasNot("push certificate").controlsHaveNames()
	p := b.post("/console/enrollment", url.Values{"validity": {"1h"}}).has(201, "iPhone and iPad",
		"Mac", "Apple TV", "in 59 minutes").
		hasNot("push certificate")
	link := p.filledID("link")
	if p.header.Get("Cache-Control") != "no-store" {
		t.Error("browsers may keep the page with the link")
	}
	p.pictureShows(link)
	d := s.fleet.Add(simulator.Config{Kind: simulator.IPhone, Name: "New phone"})
	if err := d.Enroll(s.Context(), link); err != nil {
		t.Fatal(err)
	}
	b.open("/console/").has(200, "New phone")
	b.open("/console/enrollment").form("/enrollment").set("for", "nobody").submit().has(201,
		"of serial number or UDID nobody").hasNot("present identity ends")
	p = b.open("/console/enrollment").has(200, "takes its place",
		"nothing proves them").form("/enrollment").
		set("for", d.Facts().SerialNumber).set("replace", "on").submit().has(201,
		"present identity ends")
	if err := d.Enroll(s.Context(), p.filledID("link")); err != nil {
		t.Fatal(err)
	}
	var list struct{ Value []struct{ ID string } }
	s.api("GET", "/beta/deviceManagement/managedDevices", nil, &list)
	b.open("/console/devices/"+list.Value[0].ID+"/history").has(200,
		"Enrolled anew: started clean, with a new identity", "Enrolled")
	if again := b.post("/console/enrollment",
		url.Values{"validity": {"nonsense"}}); again.filledID("link") == link {
		t.Error("the same link was given twice")
	}
}

// filledID is the value of the input with an id.
func (p *page) filledID(id string) string {
	p.Helper()
	for _, n := range p.all("input") {
		if got, _ := attribute(n, "id"); got == id {
			value, _ := attribute(n, "value")
			return value
		}
	}
	p.Fatalf("there is no input %q in %s", id, p)
	return ""
}

// pictureShows fails the test unless the page's QR code is that of a text, with the empty margin
// that readers need.
func (p *page) pictureShows(text string) {
	p.Helper()
	want, err := qr.Encode(text, qr.M)
	if err != nil {
		p.Fatal(err)
	}
	var picture *html.Node
	for _, n := range p.all("svg") {
		if class, _ := attribute(n, "class"); class == "qr" {
			picture = n
		}
	}
	if picture == nil {
		p.Fatal("there is no picture")
	}
	const margin = 4
	if box, _ := attribute(picture, "viewBox"); box != fmt.Sprintf("0 0 %d %[1]d",
		want.Size+2*margin) {
		p.Errorf("the picture is %s, and the code has %d modules", box, want.Size)
	}
	black := map[[2]int]bool{}
	for n := range picture.Descendants() {
		d, ok := attribute(n, "d")
		if !ok {
			continue
		}
		for run := range strings.SplitSeq(strings.TrimSuffix(d, "z"), "z") {
			var x, y, width, back int
			if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &width, &back); err != nil ||
				back != width {
				p.Fatalf("part %q of the picture: %v", run, err)
			}
			for i := range width {
				black[[2]int{x + i, y}] = true
			}
		}
	}
	for y := range want.Size {
		for x := range want.Size {
			if want.Black(x, y) != black[[2]int{x + margin, y + margin}] {
				p.Fatalf("module %d,%d is wrong", x, y)
			}
			delete(black, [2]int{x + margin, y + margin})
		}
	}
	if len(black) > 0 {
		p.Errorf("%d modules are in the margin", len(black))
	}
}

func TestEnrollmentWarnsOfThePushCertificate(t *testing.T) {
	t.Run("expired", func(t *testing.T) {
		s := newSite(t)
		certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(),
			s.clock.Now().AddDate(-1, 0, 1))
		if err == nil {
			_, err = s.server.Channel().SetPushCertificate(t.Context(), certificate, key)
		}
		if err != nil {
			t.Fatal(err)
		}
		s.signedIn(s.token).open("/console/enrollment").has(200,
			"Make a link").hasNot("has expired")
		s.clock.advance(48 * time.Hour)
		s.signedIn(s.token).open("/console/enrollment").has(200, "The push certificate has expired",
			"Make a link")
	})
	t.Run("none", func(t *testing.T) {
		s := bareSite(t)
		s.signedIn(s.bearer("admin", access.Administrator, 0)).open("/console/enrollment").has(200,
			"No push certificate is set", "Make a link")
	})
}

// bareSite is a running server on which nothing was set up.
func bareSite(t *testing.T) *site {
	t.Helper()
	running, err := server.Start(t.Context(),
		server.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0",
			Log: slog.New(slog.DiscardHandler)})
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
	s := &site{T: t, server: running, trust: x509.NewCertPool()}
	s.trust.AppendCertsFromPEM(ca)
	return s
}

func TestEnrollmentIsForThoseWhoMay(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.bearer("help", access.HelpDeskOperator, 0))
	b.open("/console/").hasNot("Enrollment")
	p := b.post("/console/enrollment", url.Values{"validity": {"1h"}}).has(403,
		"has no role or permission")
	if strings.Contains(p.body, "/enroll/") {
		t.Error("there is a link all the same")
	}
}
