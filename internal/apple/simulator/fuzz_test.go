package simulator

import (
	"context"
	"testing"

	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/cost"
)

func marshal(f *testing.F, value any) []byte {
	raw, err := plist.Marshal(value)
	if err != nil {
		f.Fatal(err)
	}
	return raw
}

type keyed = map[string]any

func FuzzEnrollmentProfile(f *testing.F) {
	f.Add(marshal(f, keyed{"PayloadType": "Configuration",
		"PayloadIdentifier": "com.example.enroll", "PayloadUUID": "1",
		"PayloadContent": []any{
			keyed{"PayloadType": scepPayloadType, "PayloadIdentifier": "s", "PayloadUUID": "2",
				"PayloadContent": keyed{
					"URL": "https://example.com/scep", "Challenge": "c", "Keysize": 2048,
					"Key Type":      "RSA",
					"CAFingerprint": []byte{1, 2}, "Subject": []any{[]any{[]any{"CN", "x"}}}}},
			keyed{"PayloadType": mdmPayloadType, "PayloadIdentifier": "m", "PayloadUUID": "3",
				"SignMessage":             true,
				"IdentityCertificateUUID": "2", "Topic": "com.apple.mgmt.x",
				"ServerURL": "https://example.com/mdm"}}}))
	f.Add([]byte("<plist><dict><key>PayloadContent</key><array><string>x</string></array></dict></plist>"))
	f.Add([]byte("0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80"))
	f.Add([]byte("bplist00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		defer cost.Input(t)()
		enrollment, err := parseEnrollmentProfile(raw)
		if err != nil {
			return
		}
		if enrollment.profile.Identifier == "" || enrollment.mdm.ServerURL == "" ||
			enrollment.mdm.CheckInURL == "" ||
			enrollment.scep.URL == "" {
			t.Errorf("accepted without what an enrollment needs: %+v", enrollment)
		}
		if _, err := subjectName(enrollment.scep); err == nil &&
			len(enrollment.scep.Subject) == 0 &&
			enrollment.scep.defaultCommonName == "" {
			t.Error("a certificate request would have no subject")
		}
	})
}

// FuzzCommand executes any command that can be decoded: whatever it says, the device must have an
// answer.
func FuzzCommand(f *testing.F) {
	for _, command := range []keyed{
		{"RequestType": "InstallProfile", "Payload": marshal(f,
			keyed{"PayloadType": "Configuration",
				"PayloadIdentifier": "p", "PayloadUUID": "1", "PayloadContent": []any{}})},
		{"RequestType": "RemoveProfile", "Identifier": "p"},
		{"RequestType": "ProfileList", "ManagedOnly": true},
		{"RequestType": "InstallApplication", "Identifier": "a", "Configuration": keyed{"x": 1}},
		{"RequestType": "InstallApplication", "iTunesStoreID": -5},
		{"RequestType": "InstallEnterpriseApplication",
			"Manifest": keyed{"items": []any{keyed{"metadata": keyed{}}}}},
		{"RequestType": "RemoveApplication", "Identifier": "a"},
		{"RequestType": "ManagedApplicationList", "Identifiers": []any{"a"}},
		{"RequestType": "InstalledApplicationList"},
		{"RequestType": "Settings", "Settings": []any{keyed{"Item": "ApplicationConfiguration",
			"Identifier": "a"}}},
		{"RequestType": "ManagedApplicationConfiguration", "Identifiers": []any{"a"}},
		{"RequestType": "DeviceInformation", "Queries": []any{"UDID"}},
		{"RequestType": "Unheard"},
	} {
		f.Add(marshal(f, keyed{"CommandUUID": "1", "Command": command}))
	}
	fleet := NewFleet(Options{Apps: map[int64]string{5: "a"}})
	// a manifest's URL must lead nowhere
	offline, cancel := context.WithCancel(context.Background())
	cancel()
	f.Fuzz(func(t *testing.T, raw []byte) {
		defer cost.Input(t)()
		device := newDevice(fleet, Config{Kind: Mac, Seed: 1})
		cmd, err := device.decodeCommand(offline, raw)
		if err != nil {
			return
		}
		reply, _ := device.take(cmd)
		switch reply.status {
		case acknowledged, failed, formatError:
		default:
			t.Fatalf("answer to %s has status %q", cmd.requestType, reply.status)
		}
		if (reply.status == failed) != (len(reply.chain) > 0) {
			t.Errorf("status %s with ErrorChain %v", reply.status, reply.chain)
		}
		if _, err := plist.Marshal(reply.message(&device.facts, cmd.uuid)); err != nil {
			t.Errorf("answer cannot be sent: %v", err)
		}
	})
}
