package simulator_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/micromdm/nanomdm/mdm"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

func mutualTLS(s *testServer)   { s.mutualTLS = true }
func signProfile(s *testServer) { s.signProfile = true }

func TestEnroll(t *testing.T) {
	for _, test := range []struct {
		name    string
		config  simulator.Config
		options []func(*testServer)
	}{
		{"iPhone, signed messages", simulator.Config{Kind: simulator.IPhone, Seed: 1}, nil},
		{"iPad, signed profile", simulator.Config{Kind: simulator.IPad, Seed: 2},
			[]func(*testServer){signProfile}},
		{"Mac, mutual TLS", simulator.Config{Kind: simulator.Mac, Seed: 3, Name: "Studio"},
			[]func(*testServer){mutualTLS}},
		{"Apple TV", simulator.Config{Kind: simulator.AppleTV, Seed: 4, Supervised: true}, nil},
		{"user enrollment", simulator.Config{Kind: simulator.IPhone, Seed: 5, UserEnrollment: true},
			nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := newServer(t, test.options...)
			device := server.enrolled(t, server.fleet(simulator.Options{}), test.config)
			if !device.Enrolled() {
				t.Error("the device says it is not enrolled")
			}
			checkMessages(t, server, device, test.config.UserEnrollment)
			profiles := device.Profiles()
			if len(profiles) != 1 || profiles[0].Identifier != "com.example.enroll" ||
				len(profiles[0].Payloads) != 2 {
				t.Errorf("profiles are %+v, want the enrollment profile", profiles)
			}
			if signed := len(profiles[0].Signers) > 0; signed != server.signProfile {
				t.Errorf("profile shown as signed: %v", signed)
			}
			if err := device.Connect(t.Context()); err != nil || server.idleCount() != 1 {
				t.Errorf("connection: %v, %d Idle", err, server.idleCount())
			}
		})
	}
}

func checkMessages(t *testing.T, server *testServer, device *simulator.Device,
	userEnrollment bool) {
	t.Helper()
	if len(server.history()) != 2 {
		t.Fatalf("%d check-ins, want Authenticate and TokenUpdate", len(server.history()))
	}
	facts := device.Facts()
	authenticate, ok := server.history()[0].(*mdm.Authenticate)
	if !ok || authenticate.Topic != topic || id(authenticate.Enrollment) != deviceID(device) {
		t.Fatalf("first check-in is %+v", server.history()[0])
	}
	for _, told := range []string{facts.DeviceName, facts.Model, facts.ModelName, facts.ProductName,
		facts.OSVersion,
		facts.BuildVersion} {
		if told == "" || !contains(authenticate.Raw, "<string>"+told+"</string>") {
			t.Errorf("Authenticate lacks %q:\n%s", told, authenticate.Raw)
		}
	}
	if hidden := authenticate.UDID == "" &&
		authenticate.SerialNumber == ""; hidden != userEnrollment {
		t.Errorf("UDID %q, SerialNumber %q with user enrollment %v", authenticate.UDID,
			authenticate.SerialNumber,
			userEnrollment)
	}
	update, ok := server.history()[1].(*mdm.TokenUpdate)
	if !ok || update.Topic != topic || len(update.Token) != 32 || update.PushMagic == "" {
		t.Errorf("second check-in is %+v", server.history()[1])
	}
}

func TestSameSeedIsSameDevice(t *testing.T) {
	fleet := simulator.NewFleet(simulator.Options{})
	for _, kind := range []simulator.Kind{simulator.IPhone, simulator.IPad, simulator.Mac,
		simulator.AppleTV} {
		first, again := fleet.Add(simulator.Config{Kind: kind, Seed: 7}),
			fleet.Add(simulator.Config{Kind: kind, Seed: 7})
		other := fleet.Add(simulator.Config{Kind: kind, Seed: 8})
		if first.Facts() != again.Facts() {
			t.Errorf("%s: %+v and %+v", kind, first.Facts(), again.Facts())
		}
		if first.Facts().UDID == other.Facts().UDID ||
			first.Facts().SerialNumber == other.Facts().SerialNumber {
			t.Errorf("%s: another seed gave the same device %+v", kind, other.Facts())
		}
	}
	if len(fleet.Devices()) != 12 {
		t.Errorf("%d devices, want 12", len(fleet.Devices()))
	}
}

func TestLinkServesOneEnrollment(t *testing.T) {
	server := newServer(t)
	fleet := server.fleet(simulator.Options{})
	link := server.link()
	if err := fleet.Add(simulator.Config{Kind: simulator.IPhone, Seed: 1}).Enroll(t.Context(),
		link); err != nil {
		t.Fatal(err)
	}
	late := fleet.Add(simulator.Config{Kind: simulator.IPhone, Seed: 2})
	if err := late.Enroll(t.Context(), link); err == nil ||
		!strings.Contains(err.Error(), "HTTP 410") {
		t.Errorf("second use of the link: %v", err)
	}
	if late.Enrolled() || len(late.Profiles()) != 0 {
		t.Error("the device counts as enrolled")
	}
	if err := late.Connect(t.Context()); !errors.Is(err, simulator.ErrNotEnrolled) {
		t.Errorf("connection of a device that is not enrolled: %v", err)
	}
}

func TestProfilesThatDoNotEnroll(t *testing.T) {
	server := newServer(t)
	good := string(server.enrollmentProfile("wrong challenge"))
	for _, test := range []struct{ name, contentType, body, want string }{
		{"content type", "text/xml", good, "Content-Type"},
		{"challenge", configType, good, "pkiStatus 2"},
		{"not a profile", configType, "<html></html>", "property list"},
		{"broken signature", configType, "0\x82garbage", "damaged ASN.1"},
		{"no MDM payload", configType, strings.Replace(good, "com.apple.mdm<", "com.example<", 1),
			"no payload com.apple.mdm"},
		{"identity elsewhere", configType, strings.Replace(good, ">S1<", ">S2<", 1),
			"IdentityCertificateUUID"},
		{"topic", configType, strings.ReplaceAll(good, topic, "com.example"), "Topic"},
		{"server URL", configType, strings.ReplaceAll(good, server.URL+"/mdm", "file:///etc"),
			"ServerURL"},
		{"key size", configType, strings.Replace(good, ">2048<", ">64<", 1), "64 bits"},
	} {
		t.Run(test.name, func(t *testing.T) {
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
				_ *http.Request) {
				w.Header().Set("Content-Type", test.contentType)
				w.Write([]byte(test.body))
			}))
			defer site.Close()
			device := server.fleet(simulator.Options{}).Add(simulator.Config{Kind: simulator.IPhone,
				Seed: 1})
			err := device.Enroll(t.Context(), site.URL)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one about %q", err, test.want)
			}
			if device.Enrolled() || len(server.history()) != 0 {
				t.Error("the device checked in")
			}
		})
	}
}

const configType = "application/x-apple-aspen-config"

func TestUnenroll(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	server.do(t, device, "InstallProfile", map[string]any{"Payload": profile("com.example.wifi",
		"1")})
	server.do(t, device, "InstallApplication",
		map[string]any{"Identifier": "com.example.goes", "ManagementFlags": 1})
	server.do(t, device, "InstallApplication", map[string]any{"Identifier": "com.example.stays"})
	if err := device.Unenroll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, isCheckOut := server.lastCheckIn().(*mdm.CheckOut); !isCheckOut {
		t.Errorf("last check-in is %T, want CheckOut", server.lastCheckIn())
	}
	if device.Enrolled() || len(device.Profiles()) != 0 {
		t.Errorf("still there: %+v", device.Profiles())
	}
	if apps := device.Apps(); len(apps) != 1 || apps[0].Identifier != "com.example.stays" ||
		apps[0].State != simulator.AppUnmanaged {
		t.Errorf("apps are %+v, want com.example.stays, unmanaged", apps)
	}
	if err := device.Unenroll(t.Context()); !errors.Is(err, simulator.ErrNotEnrolled) {
		t.Errorf("second time: %v", err)
	}
}

func TestUnenrollWithoutCheckOut(t *testing.T) {
	server := newServer(t, func(s *testServer) { s.checkOutWhenRemoved = false })
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.Mac, Seed: 1})
	if err := device.Unenroll(t.Context()); err != nil || len(server.history()) != 2 {
		t.Errorf("%v; %d check-ins, want 2", err, len(server.history()))
	}
}

func TestRemovingTheEnrollmentProfileUnenrolls(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	uuid := server.send(device, "RemoveProfile", map[string]any{"Identifier": "com.example.enroll"})
	if err := device.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, isCheckOut := server.lastCheckIn().(*mdm.CheckOut); !isCheckOut || device.Enrolled() {
		t.Errorf("last check-in is %T, enrolled %v", server.lastCheckIn(), device.Enrolled())
	}
	if answers := server.statuses(uuid); answers != "" {
		t.Errorf("answered %s, though it has no identity any more", answers)
	}
}

func TestWipeTellsNobody(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	server.do(t, device, "InstallApplication", map[string]any{"Identifier": "com.example.app"})
	before := device.Facts()
	device.Wipe()
	if device.Enrolled() ||
		len(device.Profiles())+len(device.Apps())+len(device.Configurations()) != 0 {
		t.Error("something survived")
	}
	if len(server.history()) != 2 {
		t.Errorf("%d check-ins, want no more than the enrollment's 2", len(server.history()))
	}
	if device.Facts() != before {
		t.Error("the hardware changed")
	}
}

func TestReEnrollGivesNewIdentity(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	server.do(t, device, "InstallProfile", map[string]any{"Payload": profile("com.example.wifi",
		"1")})
	first := server.pushOf(device)
	if err := device.Enroll(t.Context(), server.link()); err != nil {
		t.Fatal(err)
	}
	second := server.pushOf(device)
	if first.PushMagic == second.PushMagic || first.Token.String() == second.Token.String() ||
		server.certificates() != 2 {
		t.Errorf("%+v and %+v with %d certificates", first, second, server.certificates())
	}
	if profiles := device.Profiles(); len(profiles) != 2 ||
		profiles[0].Identifier != "com.example.wifi" {
		t.Errorf("profiles are %+v, want the Wi-Fi and one enrollment profile", profiles)
	}
}

func TestServerThatDoesNotKnowTheDevice(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	server.answerAll(http.StatusServiceUnavailable)
	if err := device.Connect(t.Context()); err == nil || !device.Enrolled() {
		t.Errorf("503: %v, enrolled %v; want an error and nothing else", err, device.Enrolled())
	}
	server.answerAll(http.StatusUnauthorized)
	if err := device.Connect(t.Context()); err == nil || device.Enrolled() ||
		len(server.history()) != 2 {
		t.Errorf("401: %v, enrolled %v, %d check-ins; want it unenrolled without CheckOut", err,
			device.Enrolled(),
			len(server.history()))
	}
}

func TestConnectStopsWithItsContext(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := device.Connect(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
