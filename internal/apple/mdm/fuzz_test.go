package mdm_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/micromdm/plist"
	"github.com/smallstep/scep"

	"github.com/syncpayloads/syncpayloads/internal/cms/cmstest"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// fuzzed serves requests without a network, as a device with the given identity.
func fuzzed(t *testing.T, s *server, r *http.Request, identity *x509.Certificate) {
	t.Helper()
	r.TLS = &tls.ConnectionState{}
	if identity != nil {
		r.TLS.PeerCertificates = []*x509.Certificate{identity}
	}
	w := httptest.NewRecorder()
	s.channel.Handler().ServeHTTP(w, r)
	if w.Code == http.StatusUnauthorized || w.Code >= 500 {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func seed(f *testing.F, m dict) {
	b, err := plist.Marshal(m)
	mustPlist(f, err)
	f.Add(b)
}

func FuzzCheckin(f *testing.F) {
	s := newServer(f)
	d := s.enroll(f, "1", 1)
	for kind, more := range map[string]dict{"Authenticate": d.facts,
		"TokenUpdate": d.tokenMessage("t"), "CheckOut": {"Topic": topic},
		"UserAuthenticate": {"UserID": "u"}, "SetBootstrapToken": {"BootstrapToken": []byte("b")},
		"GetBootstrapToken":     nil,
		"DeclarativeManagement": {"Endpoint": "tokens", "Data": []byte("{}")},
		"GetToken":              {"TokenServiceType": "com.apple.watch.pairing"}} {
		seed(f, d.message(kind, more))
	}
	f.Add([]byte(`<plist version="1.0"><dict><key>MessageType</key><string>GetToken</string></dict></plist>`))
	f.Add([]byte("bplist00\xa1\x00\x08"))
	f.Fuzz(func(t *testing.T, body []byte) {
		defer cost.Input(t)()
		r := httptest.NewRequest(http.MethodPut, "/mdm", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/x-apple-aspen-mdm-checkin")
		fuzzed(t, s, r, d.cert)
	})
}

func FuzzCommandResult(f *testing.F) {
	s := newServer(f)
	d := s.enroll(f, "1", 1)
	for kind, m := range map[string]dict{
		"": {"ErrorChain": []dict{link("MCMDMErrorDomain", 12075, "x")},
			"RejectionReason": "Other"},
		".profiles": {"ProfileList": []dict{{"PayloadIdentifier": "a", "PayloadUUID": "b"}}},
		".apps": {"ManagedApplicationList": dict{"a": dict{"Status": "Managed"}},
			"InstalledApplicationList": []dict{{"Identifier": "a"}}},
		".configurations": {"ApplicationConfigurations": []dict{{"Identifier": "a",
			"Configuration": dict{"b": 1}}}},
		".facts": {"QueryResponses": dict{"ProductName": phone, "IsSupervised": true}},
		".settings": {"Settings": []dict{{"Status": "Error",
			"ErrorChain": []dict{link("D", 1, "x")}}}},
	} {
		for _, status := range []string{"Acknowledged", "Error", "NotNow", "CommandFormatError",
			"Idle"} {
			m["UDID"], m["CommandUUID"], m["Status"] = "1", task+kind, status
			seed(f, m)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		defer cost.Input(t)()
		fuzzed(t, s, httptest.NewRequest(http.MethodPut, "/mdm", bytes.NewReader(body)), d.cert)
	})
}

func FuzzMdmSignature(f *testing.F) {
	s := newServer(f)
	d := s.enroll(f, "1", 1)
	a := d.idle()
	signature := a.sent.Header.Get("Mdm-Signature")
	f.Add(signature, a.raw)
	f.Add(signature[:len(signature)/2], a.raw)
	f.Add("MIAGCSqGSIb3DQEHAqCAMIACAQExADCABgkqhkiG9w0BBwEAADEAAAAAAAAA", a.raw)
	f.Add("", []byte{})
	for _, bomb := range cmstest.Forms(4 << 10) {
		f.Add(base64.StdEncoding.EncodeToString(bomb), a.raw)
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		defer cost.Input(t)()
		r := httptest.NewRequest(http.MethodPut, "/mdm", bytes.NewReader(body))
		r.Header.Set("Mdm-Signature", header)
		fuzzed(t, s, r, nil)
	})
}

func FuzzPKIOperation(f *testing.F) {
	s := newServer(f)
	_, code := s.link(f, time.Hour)
	for _, kind := range []scep.MessageType{scep.PKCSReq, scep.RenewalReq, scep.GetCRL} {
		f.Add(s.request(f, code, shared.keys[1](), kind))
	}
	f.Add(s.request(f, "", shared.keys[1](), scep.PKCSReq))
	f.Add([]byte{0x30, 0x80, 0, 0})
	signer := cmstest.NewSigner()
	for _, bomb := range cmstest.Forms(4 << 10) {
		f.Add(bomb)
		f.Add(cmstest.SCEP(signer, bomb))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		defer cost.Input(t)()
		fuzzed(t, s, httptest.NewRequest(http.MethodPost, "/scep?operation=PKIOperation",
			bytes.NewReader(message)), nil)
	})
}
