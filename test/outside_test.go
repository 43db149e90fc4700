package test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/kit/log"
	"github.com/micromdm/nanomdm/test/enrollment"
	"github.com/micromdm/nanomdm/test/protocol"
	"github.com/micromdm/plist"
	scepclient "github.com/micromdm/scep/v2/client"
	"github.com/smallstep/scep"
	"github.com/smallstep/scep/x509util"
)

// outsider is a device that is not ours: MicroMDM's SCEP client, and the device of NanoMDM's own
// tests.
type outsider struct {
	*site
	scep      scepclient.Client
	key       *rsa.PrivateKey
	identity  *x509.Certificate
	device    *enrollment.Enrollment
	transport *protocol.Transport
}

func newOutsider(s *site) *outsider {
	s.Helper()
	// The client asks only for what the system's CAs have certified, or for http: a proxy stands
	// before the server.
	to, err := url.Parse(s.url)
	if err != nil {
		s.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Transport: s.transport(),
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	s.Cleanup(proxy.Close)
	o := &outsider{site: s, key: rsaKey(s.T)}
	if o.scep, err = scepclient.New(proxy.URL+"/scep", log.NewNopLogger()); err != nil {
		s.Fatal(err)
	}
	return o
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// selfSigned is a certificate by which a device without an identity signs what it asks.
func selfSigned(t *testing.T, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		Subject:   pkix.Name{CommonName: "SCEP SIGNER"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// scepPayload is what a device reads of the link's profile to get its identity.
type scepPayload struct {
	PayloadContent []struct {
		PayloadType    string
		Topic          string
		PayloadContent any
	}
}

// open fetches the profile of a new link.
func (o *outsider) open() (challenge, topic string) {
	o.Helper()
	var link struct{ URL string }
	o.must("POST", "/api/enrollments", map[string]any{"expiresIn": "1h"}, &link)
	response, err := o.http.Get(link.URL)
	if err != nil {
		o.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		o.Fatal(err)
	}
	// signed: what is read here needs no signature
	if at := strings.Index(string(text), "<?xml"); at > 0 {
		text = text[at : strings.LastIndex(string(text), "</plist>")+len("</plist>")]
	}
	var profile scepPayload
	if err := plist.Unmarshal(text, &profile); err != nil {
		o.Fatal(err)
	}
	for _, p := range profile.PayloadContent {
		switch p.PayloadType {
		case "com.apple.security.scep":
			challenge = p.PayloadContent.(map[string]any)["Challenge"].(string)
		case "com.apple.mdm":
			topic = p.Topic
		}
	}
	return challenge, topic
}

// certify asks for the key's certificate, in a message that is signed with another key, or the
// same.
func (o *outsider) certify(kind scep.MessageType, challenge string, signer *x509.Certificate,
	signerKey *rsa.PrivateKey,
	choose scep.CertsSelector) {
	o.Helper()
	chain, n, err := o.scep.GetCACert(o.Context(), "")
	if err != nil || n < 2 {
		o.Fatalf("GetCACert: %d certificates, %v", n, err)
	}
	authorities, err := scep.CACerts(chain)
	if err != nil {
		o.Fatal(err)
	}
	template := &x509util.CertificateRequest{ChallengePassword: challenge}
	template.Subject = pkix.Name{CommonName: "outsider"}
	der, err := x509util.CreateCertificateRequest(rand.Reader, template, o.key)
	if err != nil {
		o.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		o.Fatal(err)
	}
	request, err := scep.NewCSRRequest(csr, &scep.PKIMessage{MessageType: kind,
		Recipients: authorities, SignerCert: signer,
		SignerKey: signerKey}, scep.WithCertsSelector(choose))
	if err != nil {
		o.Fatal(err)
	}
	answer, err := o.scep.PKIOperation(o.Context(), request.Raw)
	if err != nil {
		o.Fatal(err)
	}
	reply, err := scep.ParsePKIMessage(answer, scep.WithCACerts(authorities))
	if err != nil {
		o.Fatal(err)
	}
	if reply.PKIStatus != scep.SUCCESS {
		o.Fatalf("refused: failInfo %q", string(reply.FailInfo))
	}
	if err := reply.DecryptPKIEnvelope(signer, signerKey); err != nil {
		o.Fatal(err)
	}
	o.identity = reply.Certificate
}

// checkIn enrolls, and asks for what there is to do.
func (o *outsider) checkIn(topic string) *http.Response {
	o.Helper()
	var err error
	if o.device == nil {
		if o.device, err = enrollment.NewRandomDeviceEnrollment(o.http, topic, o.url+"/mdm",
			o.url+"/mdm"); err != nil {
			o.Fatal(err)
		}
		o.device.GetPush().Token = []byte("a token")
	}
	o.transport = protocol.NewTransport(protocol.WithSignMessage(),
		protocol.WithMDMURLs(o.url+"/mdm", o.url+"/mdm"),
		protocol.WithClient(o.http), protocol.WithIdentityProvider(
			func(context.Context) (*x509.Certificate, crypto.PrivateKey, error) {
				return o.identity,
					o.key, nil
			}))
	for _, message := range []func() (io.Reader,
		error){o.device.GenAuthenticate, o.device.GenTokenUpdate} {
		body, err := message()
		if err != nil {
			o.Fatal(err)
		}
		response, err := o.transport.DoCheckIn(o.Context(), body)
		if err != nil {
			o.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			o.Fatalf("check-in: %s", response.Status)
		}
	}
	idle, err := plist.Marshal(map[string]any{"UDID": o.device.ID(), "Status": "Idle"})
	if err != nil {
		o.Fatal(err)
	}
	response, err := o.transport.DoReportResultsAndFetchNext(o.Context(),
		strings.NewReader(string(idle)))
	if err != nil {
		o.Fatal(err)
	}
	return response
}

// A device that is not ours enrolls, whatever of GetCACert it encrypts to and whichever key signs
// its request, checks in, and is given its first command.
func TestOutsideDeviceEnrolls(t *testing.T) {
	s := newSite(t)
	s.profile("com.example.outside")
	for name, c := range map[string]struct {
		choose   scep.CertsSelector
		otherKey bool
	}{
		"to every certificate":                         {scep.NopCertsSelector(), false},
		"to every certificate, signed by another key":  {scep.NopCertsSelector(), true},
		"to what enciphers, signed by another key":     {scep.EnciphermentCertsSelector(), true},
		"to the first certificate":                     {scep.CertsSelectorFunc(func(all []*x509.Certificate) []*x509.Certificate { return all[:1] }), false},
		"to the fingerprint of what receives requests": {fingerprinted(s), false},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOutsider(s.in(t))
			challenge, topic := o.open()
			signerKey := o.key
			if c.otherKey {
				signerKey = rsaKey(t)
			}
			o.certify(scep.PKCSReq, challenge, selfSigned(t, signerKey), signerKey, c.choose)
			response := o.checkIn(topic)
			defer response.Body.Close()
			var command struct{ Command struct{ RequestType string } }
			if err := plist.NewXMLDecoder(response.Body).Decode(&command); err != nil ||
				command.Command.RequestType == "" {
				t.Errorf("%s, command %q, %v", response.Status, command.Command.RequestType, err)
			}
		})
	}
}

// With a new link it renews its identity as RFC 8894, section 3.3.1, has it: signed by the one that
// it has, for a new key.
func TestOutsideDeviceRenews(t *testing.T) {
	s := newSite(t)
	o := newOutsider(s)
	challenge, topic := o.open()
	o.certify(scep.PKCSReq, challenge, selfSigned(t, o.key), o.key, scep.NopCertsSelector())
	o.checkIn(topic).Body.Close()
	first, firstKey := o.identity, o.key
	s.clock.Advance(time.Hour) // a renewed identity is later than the one before
	o.key = rsaKey(t)
	challenge, topic = o.open()
	o.certify(scep.RenewalReq, challenge, first, firstKey, scep.NopCertsSelector())
	response := o.checkIn(topic)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || o.identity.Equal(first) {
		t.Errorf("the renewed identity: %s", response.Status)
	}
}

func fingerprinted(s *site) scep.CertsSelector {
	s.Helper()
	response, err := s.http.Get(s.url + "/scep?operation=GetCACert")
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	chain, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	authorities, err := scep.CACerts(chain)
	if err != nil {
		s.Fatal(err)
	}
	sum := sha256.Sum256(authorities[0].Raw)
	return scep.FingerprintCertsSelector(crypto.SHA256, sum[:])
}
