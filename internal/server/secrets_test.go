package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// secrets are what must be in no log, by name.
type secrets map[string][]byte

// check looks for every secret in every form in which a log could have it.
func (s secrets) check(t *testing.T, log string) {
	t.Helper()
	for name, secret := range s {
		if len(secret) < 8 {
			t.Fatalf("the secret %s is %q: too short to be looked for", name, secret)
		}
		numbers := strings.Trim(fmt.Sprint(secret), "[]")
		for form, text := range map[string]string{"as it is": string(secret),
			"hexadecimal": hex.EncodeToString(secret),
			"base64":      strings.TrimRight(base64.StdEncoding.EncodeToString(secret), "="),
			"numbers":     numbers,
			"URL base64":  strings.TrimRight(base64.URLEncoding.EncodeToString(secret), "="),
			"quoted":      strings.Trim(fmt.Sprintf("%q", secret), `"`)} {
			if at := strings.Index(strings.ToLower(log), strings.ToLower(text)); at >= 0 {
				t.Errorf("the log has the %s, %s: …%s…", name, form,
					log[max(0, at-200):min(len(log), at+len(text)+50)])
			}
		}
	}
	if strings.Contains(log, "PRIVATE KEY") {
		t.Error("the log has a private key in PEM")
	}
}

const pushCertificatePath = "/beta/deviceManagement/applePushNotificationCertificate"

func TestNoSecretInTheLog(t *testing.T) {
	h := newHideout(t)
	_, bearer, err := h.server.Tokens().Create(t.Context(),
		access.TokenInput{Name: "admin", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	h.secrets["bearer token"] = []byte(bearer)
	h.badBearers(bearer)
	h.pushCertificates(bearer)

	phone := h.fleet.Add(simulator.Config{Kind: simulator.IPhone, Seed: 1, Name: "A phone"})
	if err := phone.Enroll(t.Context(), h.link(bearer, "the phone")); err != nil {
		t.Fatal(err)
	}
	id := h.device(bearer, phone.Facts().UDID)
	h.keepPush(id)
	h.act(bearer, id, phone)
	h.wire(bearer)
	h.unreachablePush(bearer, id)

	log := h.log.String()
	for what, text := range map[string]string{"the phone": phone.Facts().UDID, "its id": id,
		"the wire":           wireUDID,
		"refused messages":   "device message refused",
		"refused challenges": "SCEP request refused", "the failed push": "device not woken",
		"debug": "level=DEBUG"} {
		if !strings.Contains(log, text) {
			t.Errorf("the log says nothing of %s (%s), so it proves nothing", what, text)
		}
	}
	h.secrets.check(t, log)
}

// badBearers calls with tokens that are not valid, some of them nearly.
func (h *hideout) badBearers(good string) {
	h.Helper()
	_, revoked, err := h.server.Tokens().Create(h.Context(),
		access.TokenInput{Name: "gone", Role: access.Administrator})
	if err == nil {
		err = h.server.Tokens().Revoke(h.Context(), "gone")
	}
	if err != nil {
		h.Fatal(err)
	}
	for name, bearer := range map[string]string{"revoked": revoked,
		"altered": good[:len(good)-2] + "zz",
		"foreign": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2VjcmV0",
		"unknown": "not-a-token-at-all"} {
		h.secrets["bearer token, "+name] = []byte(bearer)
		for _, path := range []string{"/beta/deviceManagement/managedDevices", "/api/events",
			"/nothing"} {
			status, answer := h.call(bearer, "GET", path, nil)
			if status != http.StatusUnauthorized || bytes.Contains(answer, []byte(bearer)) {
				h.Errorf("%s token at %s: %d %s", name, path, status, answer)
			}
		}
	}
}

// pushCertificates uploads pairs that are refused, and one that is not.
func (h *hideout) pushCertificates(bearer string) {
	h.Helper()
	certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(),
		time.Now().Add(-time.Minute))
	if err != nil {
		h.Fatal(err)
	}
	_, other, _, err := simulator.NewPushCertificate(uuid.NewString(), time.Now().Add(-time.Minute))
	if err != nil {
		h.Fatal(err)
	}
	for name, k := range map[string][]byte{"push key": key, "another push key": other} {
		for i, line := range strings.Split(strings.TrimSpace(string(k)), "\n") {
			if i == 3 {
				h.secrets[name] = []byte(line)
			}
		}
	}
	broken := bytes.Replace(key, []byte("\n"), []byte("\n!"), 1)
	pair := func(c, k []byte) map[string]any {
		return map[string]any{"certificate": string(c), "privateKey": string(k)}
	}
	malformed, err := json.Marshal(pair(certificate, key))
	if err != nil {
		h.Fatal(err)
	}
	for _, bad := range []any{pair(certificate, other), pair(key, key), pair(certificate, broken),
		pair(certificate, certificate),
		malformed[:len(malformed)-1], map[string]any{"certificate": string(certificate),
			string(key): 1},
		map[string]any{"certificate": string(certificate), "privateKey": []string{string(key)}}} {
		if status, answer := h.call(bearer, "PATCH", pushCertificatePath,
			bad); status != http.StatusBadRequest {
			h.Errorf("a push certificate that cannot be used: %d %s", status, answer)
		}
	}
	h.must(bearer, "PATCH", pushCertificatePath, pair(certificate, key))
}

// act gives the phone a profile with a password, and takes it off.
func (h *hideout) act(bearer, id string, phone *simulator.Device) {
	h.Helper()
	password := "a password of the Wi-Fi"
	h.secrets["password in a profile"] = []byte(password)
	profile := []byte(`<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.example.wifi</string><key>PayloadUUID</key><string>` + uuid.NewString() + `</string>
<key>PayloadDisplayName</key><string>Wi-Fi</string><key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.wifi.managed</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>com.example.wifi.1</string><key>PayloadUUID</key><string>` + uuid.NewString() + `</string>
<key>SSID_STR</key><string>x</string><key>Password</key><string>` + password + `</string></dict></array></dict></plist>`)
	const configurations = "/beta/deviceManagement/deviceConfigurations"
	for _, body := range []map[string]any{{"payload": profile},
		{"payload": profile[:len(profile)-20], "displayName": "Broken",
			"@odata.type":     "#microsoft.graph.iosCustomConfiguration",
			"payloadFileName": "x.mobileconfig"}} {
		if status, answer := h.call(bearer, "POST", configurations,
			body); status != http.StatusBadRequest {
			h.Errorf("a profile that is none: %d %s", status, answer)
		}
	}
	payload := h.must(bearer, "POST", configurations,
		map[string]any{"displayName": "Wi-Fi", "payload": profile,
			"@odata.type":     "#microsoft.graph.iosCustomConfiguration",
			"payloadFileName": "wifi.mobileconfig"})["id"].(string)
	has := func() bool {
		for _, p := range phone.Profiles() {
			if p.Identifier == "com.example.wifi" {
				return true
			}
		}
		return false
	}
	h.must(bearer, "POST", configurations+"/"+payload+"/assign",
		map[string]any{"assignments": []any{
			map[string]any{"target": map[string]any{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}}})
	h.eventually("the phone has the profile", has)
	h.must(bearer, "POST", "/beta/deviceManagement/managedDevices/"+id+"/syncPayloads",
		map[string]any{
			"deviceActionPayloads": []any{map[string]any{"payloadId": payload,
				"payloadType": "deviceConfiguration"}}})
	h.eventually("the phone has lost the profile", func() bool { return !has() })
}

const wireUDID = "00008030-000A11111111802E"

// wire enrolls a device by hand, and sends every message as it should be and as it should not.
func (h *hideout) wire(bearer string) {
	h.Helper()
	w := newWire(h.T, h.server, wireUDID, h.link(bearer, "the wire"))
	guess := "a challenge that was guessed"
	h.secrets["guessed challenge"] = []byte(guess)
	if w.certify(guess) {
		h.Error("a guessed challenge gave an identity")
	}
	if !w.certify(w.challenge) {
		h.Fatal("no identity")
	}
	thief := newWire(h.T, h.server, wireUDID, h.link(bearer, "nobody"))
	if thief.certify(w.challenge) {
		h.Error("one challenge gave two identities")
	}
	topic := h.must(bearer, "GET", pushCertificatePath, nil)["topicIdentifier"].(string)
	update := w.message(map[string]any{"MessageType": "TokenUpdate", "Topic": topic,
		"PushMagic": string(h.secret("push magic")),
		"Token":     h.secret("push token"), "UnlockToken": h.secret("unlock token")})
	for _, body := range [][]byte{
		w.message(map[string]any{"MessageType": "Authenticate", "Topic": topic,
			"ProductName": "iPhone15,2"}),
		update,
		w.message(map[string]any{"MessageType": "SetBootstrapToken",
			"BootstrapToken": h.secret("bootstrap token")}),
		w.message(map[string]any{"MessageType": "UserAuthenticate", "UserID": "x",
			"DigestResponse": string(h.secret("digest"))}),
		w.message(map[string]any{"MessageType": string(h.secret("message type"))}),
		w.message(map[string]any{"Status": "Acknowledged", "CommandUUID": "x",
			"QueryResponses": map[string]any{"UnlockToken": h.secret("answer")}}),
	} {
		for _, contentType := range []string{checkin, "application/x-apple-aspen-mdm", ""} {
			w.sendBadly(contentType, body, update)
		}
	}
}

// sendBadly sends a message as it is, and then cut short, with values of other types, unsigned, and
// with the signature of another.
func (w *wire) sendBadly(contentType string, body, another []byte) {
	w.send(contentType, body)
	w.send(contentType, body[:len(body)-10])
	for _, types := range [][2]string{{"data", "string"}, {"string", "integer"}, {"string", "data"},
		{"string", "date"}} {
		changed := strings.ReplaceAll(string(body), "<"+types[0]+">", "<"+types[1]+">")
		w.send(contentType, []byte(strings.ReplaceAll(changed, "</"+types[0]+">",
			"</"+types[1]+">")))
	}
	for _, signature := range []string{"", w.sign(another), base64.StdEncoding.EncodeToString(body),
		string(body[:50])} {
		header := map[string]string{"Content-Type": contentType,
			"Mdm-Signature": strings.ReplaceAll(signature, "\n", "")}
		w.do("PUT", "/mdm", header, append(bytes.Clone(body), ' '))
	}
}

// unreachablePush lets a push fail for want of a push service.
func (h *hideout) unreachablePush(bearer, id string) {
	h.Helper()
	if err := h.gateway.Close(); err != nil {
		h.Fatal(err)
	}
	h.must(bearer, "POST", "/beta/deviceManagement/managedDevices/"+id+"/syncPayloads",
		map[string]any{"deviceActionPayloads": []any{}})
	h.eventually("the log tells of the failed push", func() bool {
		return strings.Contains(h.log.String(), "device not woken;")
	})
}
