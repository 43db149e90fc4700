package simulator_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/micromdm/nanomdm/cryptoutil"
	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/nanomdm/push/nanopush"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

func newGateway(t *testing.T, options simulator.GatewayOptions) *simulator.Gateway {
	t.Helper()
	gateway, err := simulator.NewGateway(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gateway.Close() })
	return gateway
}

// sender is an HTTP client that trusts the gateway and has a push certificate for an id, if any.
func sender(t *testing.T, gateway *simulator.Gateway, id string) *http.Client {
	t.Helper()
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AddCert(certificateOf(t, gateway.CA()))
	if id != "" {
		certificate, key, _, err := simulator.NewPushCertificate(id, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

var topicID = strings.TrimPrefix(topic, "com.apple.mgmt.External.")

func TestPushCertificate(t *testing.T) {
	certificate, _, got, err := simulator.NewPushCertificate(topicID, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if read, err := cryptoutil.TopicFromPEMCert(certificate); err != nil || read != topic ||
		got != topic {
		t.Errorf("topic is %q, read as %q, %v", got, read, err)
	}
}

// redirect sends what is meant for Apple's push service to a gateway, as a server's APNs host
// setting does.
type redirect struct {
	gateway *simulator.Gateway
	client  *http.Client
}

func (r redirect) RoundTrip(request *http.Request) (*http.Response, error) {
	target, err := url.Parse(r.gateway.URL())
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.URL.Host, request.Host = target.Host, ""
	return r.client.Transport.RoundTrip(request)
}

func TestRealClientWakesRealDevice(t *testing.T) {
	gateway := newGateway(t, simulator.GatewayOptions{RequireClientCert: true})
	server := newServer(t)
	fleet := server.fleet(simulator.Options{Gateway: gateway})
	device := server.enrolled(t, fleet, simulator.Config{Kind: simulator.IPhone, Seed: 1})
	run(t, fleet)
	client := sender(t, gateway, topicID)
	factory := nanopush.NewFactory(nanopush.WithNewClient(func(*tls.Certificate) (*http.Client,
		error) {
		return &http.Client{Transport: redirect{gateway, client}}, nil
	}))
	provider, err := factory.NewPushProvider(nil)
	if err != nil {
		t.Fatal(err)
	}
	uuid := installWiFi(server, device)
	address := server.pushOf(device)
	sent, err := provider.Push(t.Context(), []*mdm.Push{&address})
	if err != nil {
		t.Fatal(err)
	}
	if response := sent[address.Token.String()]; response == nil || response.Err != nil ||
		response.Id == "" {
		t.Fatalf("push: %+v", response)
	}
	server.waitAnswers(t, uuid, 1)
}

// push posts one notification and renders the answer as status and reason.
func push(t *testing.T, client *http.Client, url, magic string, header ...string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url,
		strings.NewReader(fmt.Sprintf(`{"mdm":%q}`, magic)))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.ProtoMajor != 2 || response.Header.Get("apns-id") == "" {
		t.Errorf("HTTP/%d, apns-id %q", response.ProtoMajor, response.Header.Get("apns-id"))
	}
	if response.StatusCode == http.StatusOK {
		return "200"
	}
	var refusal struct{ Reason string }
	if err := json.NewDecoder(response.Body).Decode(&refusal); err != nil {
		t.Error(err)
	}
	return fmt.Sprint(response.StatusCode, " ", refusal.Reason)
}

func TestGatewayAnswersAsAPNs(t *testing.T) {
	gateway := newGateway(t, simulator.GatewayOptions{RequireClientCert: true})
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{Gateway: gateway}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	address := server.pushOf(device)
	known := "/3/device/" + address.Token.String()
	right, wrong, none := sender(t, gateway, topicID), sender(t, gateway, "another"),
		sender(t, gateway, "")
	for _, test := range []struct {
		client            *http.Client
		path, magic, want string
		header            []string
	}{
		{right, known, address.PushMagic, "200", nil},
		{right, known, address.PushMagic, "200", []string{"apns-topic", topic}},
		{right, known, "wrong magic", "200", nil},
		{right, known, strings.Repeat("x", 5000), "413 PayloadTooLarge", nil},
		{right, known, address.PushMagic, "400 DeviceTokenNotForTopic",
			[]string{"apns-topic", "com.example"}},
		{wrong, known, address.PushMagic, "400 DeviceTokenNotForTopic", nil},
		{none, known, address.PushMagic, "400 MissingTopic", nil},
		{right, "/3/device/" + strings.Repeat("ab", 32), address.PushMagic, "410 Unregistered",
			nil},
		{right, "/3/device/abc", address.PushMagic, "400 BadDeviceToken", nil},
		{right, "/3/device/abcd", address.PushMagic, "400 BadDeviceToken", nil},
		{right, "/4/device/", address.PushMagic, "404 BadPath", nil},
	} {
		if got := push(t, test.client, gateway.URL()+test.path, test.magic,
			test.header...); got != test.want {
			t.Errorf("%s %.20s %v: %s, want %s", test.path, test.magic, test.header, got, test.want)
		}
	}
	if got, want := gateway.Stats(), (simulator.GatewayStats{Delivered: 2, Ignored: 1,
		Refused: 8}); got != want {
		t.Errorf("stats are %+v, want %+v", got, want)
	}
	device.Wipe()
	if got := push(t, right, gateway.URL()+known, address.PushMagic); got != "410 Unregistered" {
		t.Errorf("after a wipe: %s", got)
	}
}

func TestOfflineDeviceGetsItsPushLater(t *testing.T) {
	gateway := newGateway(t, simulator.GatewayOptions{})
	server := newServer(t)
	fleet := server.fleet(simulator.Options{Gateway: gateway})
	device := server.enrolled(t, fleet, simulator.Config{Kind: simulator.IPhone, Seed: 1})
	run(t, fleet)
	device.SetOnline(false)
	uuid := installWiFi(server, device)
	address := server.pushOf(device)
	path := gateway.URL() + "/3/device/" + address.Token.String()
	if got := push(t, sender(t, gateway, ""), path, address.PushMagic); got != "200" {
		t.Fatalf("push to an offline device: %s", got)
	}
	if got := server.statuses(uuid); got != "" {
		t.Errorf("an offline device answered %s", got)
	}
	device.SetOnline(true)
	server.waitAnswers(t, uuid, 1)
}

func TestReEnrolledDeviceHasANewAddress(t *testing.T) {
	gateway := newGateway(t, simulator.GatewayOptions{})
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{Gateway: gateway}),
		simulator.Config{Kind: simulator.Mac, Seed: 1})
	before := server.pushOf(device)
	if err := device.Enroll(t.Context(), server.link()); err != nil {
		t.Fatal(err)
	}
	after, client := server.pushOf(device), sender(t, gateway, "")
	if got := push(t, client, gateway.URL()+"/3/device/"+before.Token.String(),
		before.PushMagic); got != "410 Unregistered" {
		t.Errorf("old token: %s", got)
	}
	if got := push(t, client, gateway.URL()+"/3/device/"+after.Token.String(),
		before.PushMagic); got != "200" {
		t.Errorf("new token with the old magic: %s", got)
	}
	if got := gateway.Stats(); got.Ignored != 1 || got.Delivered != 0 {
		t.Errorf("stats are %+v", got)
	}
}
