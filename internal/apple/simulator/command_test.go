package simulator_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

type keyed = map[string]any

func identifiers(device *simulator.Device) (found []string) {
	for _, profile := range device.Profiles() {
		found = append(found, profile.Identifier+"/"+profile.UUID)
	}
	return found
}

// chain renders an answer's ErrorChain as domain code, ....
func chain(answer result) string {
	var links []string
	for _, link := range answer.ErrorChain {
		links = append(links, fmt.Sprintf("%s %d", link.ErrorDomain, link.ErrorCode))
	}
	return strings.Join(links, ", ")
}

func TestProfilesComeAndGo(t *testing.T) {
	for _, kind := range []simulator.Kind{simulator.IPhone, simulator.Mac, simulator.AppleTV} {
		t.Run(string(kind), func(t *testing.T) {
			server := newServer(t)
			device := server.enrolled(t, server.fleet(simulator.Options{}),
				simulator.Config{Kind: kind, Seed: 1})
			wants := func(want ...string) {
				t.Helper()
				if got := identifiers(device); !slices.Equal(got,
					append([]string{"com.example.enroll/E1"}, want...)) {
					t.Errorf("profiles are %v, want the enrollment's and %v", got, want)
				}
			}
			install := func(raw []byte) {
				server.do(t, device, "InstallProfile", keyed{"Payload": raw})
			}
			install(profile("com.example.a", "1"))
			install(sign(profile("com.example.b", "1")))
			wants("com.example.a/1", "com.example.b/1")
			install(profile("com.example.a", "2"))
			wants("com.example.a/2", "com.example.b/1")
			server.do(t, device, "RemoveProfile", keyed{"Identifier": "com.example.a"})
			wants("com.example.b/1")
			checkProfileList(t, server, device, kind)
		})
	}
}

func checkProfileList(t *testing.T, server *testServer, device *simulator.Device,
	kind simulator.Kind) {
	t.Helper()
	answer := server.do(t, device, "ProfileList", keyed{"ManagedOnly": true})
	list := answer.values["ProfileList"].([]any)
	if len(list) != 2 {
		t.Fatalf("ProfileList is %v, want the enrollment profile and com.example.b", list)
	}
	item := list[1].(keyed)
	payload := item["PayloadContent"].([]any)[0].(keyed)
	if item["PayloadIdentifier"] != "com.example.b" || item["PayloadUUID"] != "1" ||
		item["PayloadDisplayName"] != "Office com.example.b" ||
		payload["PayloadType"] != "com.apple.wifi.managed" {
		t.Errorf("com.example.b is listed as %v", item)
	}
	if _, told := payload["Password"]; told {
		t.Error("the list gives the payload's settings away")
	}
	if signers, _ := item["SignerCertificates"].([]any); len(signers) == 0 {
		t.Error("the signed profile is listed without SignerCertificates")
	}
	if _, told := item["IsManaged"]; told == (kind == simulator.Mac) {
		t.Errorf("IsManaged present: %v; a %s", told, kind)
	}
	if content := device.Profiles()[1].Payloads[0].Content; content["SSID_STR"] != "office" {
		t.Errorf("stored payload is %v", content)
	}
}

func TestErrorsAreThePlatforms(t *testing.T) {
	for _, test := range []struct {
		name        string
		kind        simulator.Kind
		requestType string
		keys        keyed
		chain, text string
	}{
		{"unknown profile", simulator.IPhone, "RemoveProfile", keyed{"Identifier": "x"},
			"MDMErrorDomain 12075",
			"The profile “x” is not installed."},
		{"unknown profile", simulator.Mac, "RemoveProfile", keyed{"Identifier": "x"},
			"MDMClientError 89",
			"Profile with identifier 'x' not found."},
		{"unknown request", simulator.IPad, "Frobnicate", nil, "MDMErrorDomain 12021",
			"Frobnicate"},
		{"unknown request", simulator.Mac, "Frobnicate", nil, "MCMDMErrorDomain 12021",
			"Frobnicate"},
		{"Mac's request", simulator.IPhone, "InstallEnterpriseApplication",
			keyed{"ManifestURL": "x"},
			"MDMErrorDomain 12021", "InstallEnterpriseApplication"},
		{"app not managed", simulator.AppleTV, "RemoveApplication", keyed{"Identifier": "x"},
			"MDMErrorDomain 12038",
			"not managed"},
		{"store id", simulator.IPhone, "InstallApplication", keyed{"iTunesStoreID": 5},
			"MDMErrorDomain 12023", "5"},
		{"manifest", simulator.IPhone, "InstallApplication",
			keyed{"ManifestURL": "http://127.0.0.1:1/"},
			"MDMErrorDomain 12024", "manifest"},
		{"profile is garbage", simulator.IPhone, "InstallProfile", keyed{"Payload": []byte("<x/>")},
			"MCInstallationErrorDomain 4000, MCProfileErrorDomain 1000", ""},
		{"profile without identifier", simulator.Mac, "InstallProfile",
			keyed{"Payload": encode(keyed{"PayloadType": "Configuration", "PayloadUUID": "1"})},
			"MCInstallationErrorDomain 4000, MCProfileErrorDomain 1002", ""},
		{"profile without payloads", simulator.IPhone, "InstallProfile", keyed{"Payload": empty},
			"MCInstallationErrorDomain 4000, MCProfileErrorDomain 1005", ""},
		{"profile with a changed byte", simulator.IPhone, "InstallProfile",
			keyed{"Payload": forged()},
			"MCInstallationErrorDomain 4000, MCProfileErrorDomain 1004", ""},
		{"profile nested without end", simulator.IPhone, "InstallProfile",
			keyed{"Payload": bytes.Repeat([]byte{0x30, 0x80}, 2<<20)},
			"MCInstallationErrorDomain 4000, MCProfileErrorDomain 1004", ""},
		{"second enrollment", simulator.IPhone, "InstallProfile", keyed{"Payload": foreign},
			"MDMErrorDomain 12001", ""},
	} {
		t.Run(test.name+" on "+string(test.kind), func(t *testing.T) {
			server := newServer(t)
			device := server.enrolled(t, server.fleet(simulator.Options{}),
				simulator.Config{Kind: test.kind, Seed: 1})
			answer := server.do(t, device, test.requestType, test.keys)
			if answer.Status != "Error" || chain(answer) != test.chain ||
				!strings.Contains(answer.ErrorChain[0].LocalizedDescription, test.text) {
				t.Errorf("answer is %s %+v, want Error, %s, about %q", answer.Status,
					answer.ErrorChain, test.chain, test.text)
			}
			if len(device.Profiles()) != 1 || len(device.Apps()) != 0 {
				t.Error("the stores changed")
			}
		})
	}
}

var (
	empty = encode(keyed{"PayloadType": "Configuration", "PayloadIdentifier": "com.example.empty",
		"PayloadUUID": "1"})

	foreign = encode(keyed{"PayloadType": "Configuration", "PayloadIdentifier": "com.example.other",
		"PayloadUUID": "1",
		"PayloadContent": []any{keyed{"PayloadType": "com.apple.mdm", "PayloadIdentifier": "m",
			"PayloadUUID": "2"}}})
)

func forged() []byte {
	return []byte(strings.Replace(string(sign(profile("com.example.a", "1"))), "office", "0ffice",
		1))
}

func TestMacTakesProfileWithoutPayloads(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.Mac, Seed: 1})
	if answer := server.do(t, device, "InstallProfile",
		keyed{"Payload": empty}); answer.Status != "Acknowledged" {
		t.Errorf("answer is %s %s", answer.Status, chain(answer))
	}
}

func TestMalformedCommands(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.Mac, Seed: 1})
	for requestType, wrong := range map[string][]keyed{
		"InstallProfile": {{}, {"Payload": "text"}},
		"RemoveProfile":  {{}, {"Identifier": 5}, {"Identifier": ""}},
		"ProfileList":    {{"ManagedOnly": "yes"}},
		"InstallApplication": {{}, {"iTunesStoreID": "5"},
			{"iTunesStoreID": 5, "Identifier": "x"}},
		"InstallEnterpriseApplication": {{}, {"Manifest": keyed{}, "ManifestURL": "x"}},
		"RemoveApplication":            {{}},
		"ManagedApplicationList":       {{"Identifiers": "x"}, {"Identifiers": []any{5}}},
		"InstalledApplicationList":     {{"ManagedAppsOnly": 1}},
		"Settings": {{}, {"Settings": []any{"x"}},
			{"Settings": []any{keyed{}}}},
		"ManagedApplicationConfiguration": {{}},
		"DeviceInformation":               {{}, {"Queries": []any{true}}},
		"":                                {{}},
	} {
		for _, keys := range wrong {
			if answer := server.do(t, device, requestType,
				keys); answer.Status != "CommandFormatError" {
				t.Errorf("%s %v: %s", requestType, keys, answer.Status)
			}
		}
	}
}

func TestConfigurations(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPad, Seed: 1})
	configure := func(item keyed) keyed {
		item["Item"] = "ApplicationConfiguration"
		answer := server.do(t, device, "Settings", keyed{"Settings": []any{item}})
		if answer.Status != "Acknowledged" {
			t.Errorf("Settings: %s", answer.Status)
		}
		return answer.values["Settings"].([]any)[0].(keyed)
	}
	color := keyed{"Identifier": "com.example.app",
		"Configuration": keyed{"color": "blue", "size": uint64(3)}}
	if got := configure(maps.Clone(color)); got["Status"] != "Error" ||
		len(device.Configurations()) != 0 {
		t.Errorf("configuration of an app that is not managed: %v", got)
	}
	server.do(t, device, "InstallApplication",
		keyed{"Identifier": "com.example.app", "Configuration": keyed{"color": "red"}})
	if got := device.Configurations()["com.example.app"]["color"]; got != "red" {
		t.Errorf("configuration of the install is %v", got)
	}
	if got := configure(color); got["Status"] != "Acknowledged" ||
		got["Identifier"] != "com.example.app" {
		t.Errorf("setting it: %v", got)
	}
	answer := server.do(t, device, "ManagedApplicationConfiguration",
		keyed{"Identifiers": []any{"com.example.app", "com.example.none"}})
	want := "[map[Configuration:map[color:blue size:3] Identifier:com.example.app]]"
	if got := fmt.Sprint(answer.values["ApplicationConfigurations"]); got != want {
		t.Errorf("reading it: %s, want %s", got, want)
	}
	configure(keyed{"Identifier": "com.example.app"})
	if got := device.Configurations(); len(got) != 0 {
		t.Errorf("after removing: %v", got)
	}
	other := server.do(t, device, "Settings",
		keyed{"Settings": []any{keyed{"Item": "Bluetooth", "Enabled": true}}})
	if got := other.values["Settings"].([]any)[0].(keyed); got["Status"] != "Error" {
		t.Errorf("unknown item: %v", got)
	}
}

func TestDeviceInformation(t *testing.T) {
	server := newServer(t)
	fleet := server.fleet(simulator.Options{})
	device := server.enrolled(t, fleet, simulator.Config{Kind: simulator.Mac, Seed: 1,
		Supervised: true})
	query := keyed{"Queries": []any{"UDID", "DeviceName", "OSVersion", "IsSupervised",
		"SerialNumber", "Nonsense"}}
	got := server.do(t, device, "DeviceInformation", query).values["QueryResponses"].(keyed)
	facts := device.Facts()
	if len(got) != 5 || got["UDID"] != facts.UDID || got["OSVersion"] != facts.OSVersion ||
		got["IsSupervised"] != true {
		t.Errorf("QueryResponses is %v of %+v", got, facts)
	}
	own := server.enrolled(t, fleet, simulator.Config{Kind: simulator.IPhone, Seed: 2,
		UserEnrollment: true})
	if got := server.do(t, own, "DeviceInformation",
		query).values["QueryResponses"].(keyed); len(got) != 3 {
		t.Errorf("a user enrollment tells %v", got)
	}
}

func TestJournalKeepsTheLastCommandsInOrder(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{JournalSize: 3}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	var want []string
	for i := range 5 {
		identifier := fmt.Sprintf("com.example.%d", i)
		uuid := server.send(device, "RemoveProfile", keyed{"Identifier": identifier})
		want = append(want, "RemoveProfile "+uuid+" "+identifier+" Error")
	}
	if err := device.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range device.Journal() {
		got = append(got, strings.Join([]string{entry.RequestType, entry.CommandUUID,
			entry.Identifier, entry.Status}, " "))
	}
	if !slices.Equal(got, want[2:]) {
		t.Errorf("journal is %v, want %v", got, want[2:])
	}
}
