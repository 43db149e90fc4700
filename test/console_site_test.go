package test

import (
	"context"
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// desk is a site as a help desk sees it: everything has the name that people give it. Its clock
// stands still unless a test lets time pass.
type desk struct {
	*site
	phone, other                              *simulator.Device // Anna-iPhone, Ben-iPhone
	wifi, vpn, mail, limits, mobileApp, slide payload
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{site: newSite(t)}
	d.config.SessionIdle = 10 * time.Hour // the page stays open until the automatic restore
	d.restart()
	d.wifi = d.policy("Office Wi-Fi", "com.example.wifi", "com.apple.wifi.managed",
		"<key>SSID_STR</key><string>Example Office</string>")
	d.vpn = d.policy("Company VPN", "com.example.vpn", "com.apple.vpn.managed",
		"<key>UserDefinedName</key><string>Example VPN</string>")
	d.mail = d.policy("Work email", "com.example.mail", "com.apple.eas.account",
		"<key>Host</key><string>mail.example.com</string>")
	d.limits = d.policy("Exam restrictions", "com.example.limits", "com.apple.applicationaccess",
		"<key>allowCamera</key><true/>")
	d.mobileApp, d.slide = d.storeApp("Pages", 0), d.storeApp("Keynote", 1)
	d.phone = d.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 1, Name: "Anna-iPhone",
		Supervised: true})
	d.other = d.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 2, Name: "Ben-iPhone"})
	d.enroll(simulator.Config{Kind: simulator.IPad, Seed: 3, Name: "Reception-iPad",
		Supervised: true})
	d.enroll(simulator.Config{Kind: simulator.Mac, Seed: 4, Name: "Studio-Mac"})
	d.eventually("everything assigned is installed and seen", func() bool {
		return has(d.phone, d.all()...) && has(d.other, d.all()...) && d.due(d.phone) == 0 &&
			d.due(d.other) == 0
	})
	return d
}

func (d *desk) all() []payload {
	return []payload{d.wifi, d.vpn, d.mail, d.limits, d.mobileApp, d.slide}
}

// restart ends the server and starts it again at the same address, as after an update.
func (s *site) restart() {
	s.Helper()
	s.end()
	s.start()
}

func (s *site) end() {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.server.Close(ctx); err != nil {
		s.Fatal(err)
	}
}

// policy makes a configuration of one payload and assigns it to all devices.
func (s *site) policy(name, identifier, kind, settings string) payload {
	s.Helper()
	file := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%[1]s</string><key>PayloadUUID</key><string>%[2]s</string>
<key>PayloadDisplayName</key><string>%[3]s</string><key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>%[4]s</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%[1]s.settings</string><key>PayloadUUID</key><string>%[5]s</string>%[6]s
</dict></array></dict></plist>`, identifier, uuid.NewString(), name, kind, uuid.NewString(), settings)
	p := payload{Type: "deviceConfiguration", Identifier: identifier}
	s.must("POST", configurations,
		map[string]any{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
			"displayName": name,
			"payloadName": name, "payloadFileName": identifier + ".mobileconfig",
			"payload": base64.StdEncoding.EncodeToString([]byte(file))}, &p)
	s.assign(configurations, p, allDevices)
	return p
}

// storeApp makes the app store's app n under a name and assigns it to all devices.
func (s *site) storeApp(name string, n int64) payload {
	s.Helper()
	p := payload{Type: "application", Identifier: appStore[1000+n]}
	s.must("POST", apps, map[string]any{"@odata.type": "#microsoft.graph.iosStoreApp",
		"displayName": name, "bundleId": p.Identifier,
		"appStoreUrl": fmt.Sprintf("https://apps.apple.com/app/id%d", 1000+n)}, &p)
	s.assign(apps, p, allDevices)
	return p
}

// signInLink is an address that signs in once, as whoever has the site's token.
func (s *site) signInLink() string {
	s.Helper()
	who, err := s.server.Tokens().Identify(s.Context(), s.token)
	if err != nil {
		s.Fatal(err)
	}
	code, err := s.server.Sessions().Link(s.Context(), who, time.Hour)
	if err != nil {
		s.Fatal(err)
	}
	return "/console/sign-in?code=" + code
}

// signIn signs in by a link and comes to the devices.
func (b *browser) signIn() {
	b.Helper()
	b.open(b.signInLink())
	b.heads("Devices")
}

func (s *site) page(d *simulator.Device) string { return "/console/devices/" + s.ids[d] }

// openDevice opens a device's page, and remembers the document so that stays can tell whether it is
// still the same.
func (b *browser) openDevice(d *simulator.Device) {
	b.Helper()
	b.open(b.page(d))
	b.heads(d.Facts().DeviceName)
	b.live()
}

// live waits until the page follows the stream.
func (b *browser) live() {
	b.Helper()
	b.reads("[data-connection-text]", "Live")
}
