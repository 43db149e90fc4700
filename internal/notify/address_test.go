package notify_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// names is a resolver of its own: what each name leads to can change at any time.
func names(t *testing.T, address func(name string) string) *net.Resolver {
	t.Helper()
	listener, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: listener,
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
			answer := new(dns.Msg).SetReply(q)
			name := q.Question[0].Name
			addr, err := netip.ParseAddr(address(strings.TrimSuffix(name, ".")))
			header := dns.RR_Header{Name: name, Rrtype: q.Question[0].Qtype, Class: dns.ClassINET}
			switch {
			case err != nil:
				answer.Rcode = dns.RcodeNameError
			case addr.Is4() && header.Rrtype == dns.TypeA:
				answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: addr.AsSlice()})
			case addr.Is6() && header.Rrtype == dns.TypeAAAA:
				answer.Answer = append(answer.Answer, &dns.AAAA{Hdr: header, AAAA: addr.AsSlice()})
			}
			_ = w.WriteMsg(answer) // the client asks again
		})}
	ready := make(chan struct{})
	server.NotifyStartedFunc = func() { close(ready) }
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(), <-ended); err != nil {
			t.Error(err)
		}
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn,
		error) {
		return new(net.Dialer).DialContext(ctx, "udp", listener.LocalAddr().String())
	}}
}

func TestURLs(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	good := newReceiver(t)
	for url, says := range map[string]string{
		"http://example.com/":        "--notify-allow-http",
		"ftp://example.com/":         "https",
		"example.com":                "URL",
		"https://":                   "URL",
		"https:///path":              "URL",
		"https:example.com":          "URL",
		"https://a b/":               "URL",
		"https://example.com:port/":  "URL",
		"https://me:secret@1.1.1.1/": "user",
		"https://me@1.1.1.1/":        "user",
		"https://1.1.1.1/#x":         "fragment",
		"https://1.1.1.1/" + strings.Repeat("x", 2048): "characters",
	} {
		in := w.input(good)
		in.LifecycleURL = url
		_, err := w.Create(t.Context(), who, in)
		var wrong *invalid.Input
		if !errors.As(err, &wrong) || wrong.Property != "lifecycleNotificationUrl" ||
			!strings.Contains(wrong.Reason, says) {
			t.Errorf("%.40s: %v", url, err)
		}
	}
}

// specials are addresses that notifications must not go to, whatever name leads there.
var specials = []string{
	"127.0.0.2", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
	"172.16.0.1", "172.31.255.255", "192.168.1.1",
	"169.254.169.254", "169.254.1.1", "100.64.0.1", "100.127.255.255", "100.100.100.200",
	"192.0.0.192", "192.0.2.1", "198.18.0.1",
	"198.19.255.255", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "239.255.255.255",
	"240.0.0.1", "255.255.255.255",
	"168.63.129.16",
	"::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:127.0.0.2", "::ffff:169.254.169.254",
	"64:ff9b::a00:1", "64:ff9b::7f00:2",
	"64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001::1",
	"2001:db8::1", "3fff::1", "100::1", "fe80::1",
	"febf::1", "fec0::1", "fc00::1", "fd00:ec2::254", "fdff::1", "ff02::1", "5f00::1", "4000::1",
}

func TestSpecialAddresses(t *testing.T) {
	var at atomic.Value
	w := newWorld(t, func(c *notify.Config) {
		c.AllowHTTP = true
		c.Resolver = names(t, func(string) string { return at.Load().(string) })
	})
	who, _ := w.owner(access.TokenInput{})
	good := newReceiver(t)
	for _, address := range specials {
		host := address
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		in := w.input(good)
		in.URL = "https://" + host + "/"
		var wrong *invalid.Input
		if _, err := w.Create(t.Context(), who, in); !errors.As(err, &wrong) ||
			!strings.Contains(wrong.Reason, "--notify-allow") {
			t.Errorf("%s: %v", in.URL, err)
		}
		// By name it is seen when it is dialled, and the name tells nothing of what is behind it.
		at.Store(address)
		in.URL = "http://innocent.example/"
		var u *notify.Unvalidated
		_, err := w.Create(t.Context(), who, in)
		if !errors.As(err, &u) || !strings.Contains(u.Reason, "--notify-allow") ||
			strings.Contains(u.Reason, address) {
			t.Errorf("a name of %s: %v", address, err)
		}
	}
	at.Store("no address")
	in := w.input(good)
	in.URL = "http://innocent.example/"
	var u *notify.Unvalidated
	if _, err := w.Create(t.Context(), who, in); !errors.As(err, &u) ||
		!strings.Contains(u.Reason, "cannot be resolved") {
		t.Errorf("no such name: %v", err)
	}
}

// Addresses in other spellings are names to Go, and whatever a resolver makes of them is judged
// when it is dialled.
func TestSpellingsOfLoopback(t *testing.T) {
	w := newWorld(t, func(c *notify.Config) { c.AllowHTTP, c.Allow = true, nil })
	who, _ := w.owner(access.TokenInput{})
	plain := start(t, httptest.NewServer)
	_, port, _ := net.SplitHostPort(plain.Listener.Addr().String())
	for _, host := range []string{"localhost", "localhost.", "127.1", "2130706433", "0x7f000001",
		"0177.0.0.1", "[::ffff:127.0.0.1]", "127.0.0.1"} {
		in := w.input(plain)
		in.URL, in.LifecycleURL = "http://"+host+":"+port+"/", ""
		if _, err := w.Create(t.Context(), who, in); err == nil {
			t.Errorf("%s was taken", in.URL)
		}
	}
}

// A name that led to a permitted address at the handshake and leads elsewhere afterwards is not
// followed there.
func TestRebinding(t *testing.T) {
	var at atomic.Value
	at.Store("127.0.0.1")
	w := newWorld(t, func(c *notify.Config) {
		c.AllowHTTP = true
		c.Resolver = names(t, func(string) string { return at.Load().(string) })
	})
	who, _ := w.owner(access.TokenInput{})
	plain := start(t, httptest.NewServer)
	plain.Config.SetKeepAlivesEnabled(false)
	_, port, _ := net.SplitHostPort(plain.Listener.Addr().String())
	inner, _ := hits(t, "127.0.0.2:"+port)
	in := w.input(plain)
	in.URL = "http://rebound.example:" + port + "/"
	sub := w.subscribe(who, in)
	at.Store("127.0.0.2")
	device := w.device()
	w.happen(device)
	w.sweep()
	if now := w.standing(who, sub); !strings.Contains(now.LastError, "--notify-allow") ||
		inner.Load() != 0 {
		t.Errorf("%q, %d connections to the inner address", now.LastError, inner.Load())
	}
	at.Store("127.0.0.1")
	w.advance(notify.GiveUpAfter / 2)
	w.sweep()
	if got := plain.accepted(); len(got) != 1 || got[0] != device {
		t.Errorf("told of %v", got)
	}
}

// hits counts the connections to an address, and returns its URL.
func hits(t *testing.T, address string) (count *atomic.Int32, url string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	count = new(atomic.Int32)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return count, "http://" + listener.Addr().String() + "/"
}

// A redirect is a failed delivery: nobody is led to where they could not be sent.
func TestRedirects(t *testing.T) {
	w := newWorld(t)
	who, _ := w.owner(access.TokenInput{})
	inner, innerURL := hits(t, "127.0.0.2:0")
	var to atomic.Value
	r := newReceiver(t)
	r.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Query().Has("validationToken") {
			echo(w, q)
			return
		}
		http.Redirect(w, q, to.Load().(string), http.StatusTemporaryRedirect)
	})
	other := newReceiver(t)
	sub := w.subscribe(who, w.input(r))
	for _, target := range []string{innerURL, other.URL + "/changes"} {
		to.Store(target)
		w.happen(w.device())
		w.advance(notify.GiveUpAfter / 4)
		w.sweep()
		if now := w.standing(who, sub); now.Attempts == 0 ||
			!strings.Contains(now.LastError, "status 307") {
			t.Errorf("%s: %+v", target, now.Delivery)
		}
	}
	if posts, _ := other.take(); len(posts) > 0 || inner.Load() > 0 {
		t.Error("a redirect was followed")
	}
}
