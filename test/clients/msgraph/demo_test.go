package msgraph_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiota "github.com/microsoft/kiota-http-go"
	wire "github.com/microsoft/kiota-serialization-json-go"
	plain "github.com/microsoft/kiota-serialization-text-go"
)

// root is the folder of the module that the server is in.
const root = "../../.."

// demo is a running demonstration, as its ready file tells.
type demo struct {
	URL     string
	Token   string
	CA      string
	Devices []struct {
		ID       string
		Payloads []struct{ ID, Type string }
	}

	adapter abstractions.RequestAdapter
	heard   *listener
}

// startDemo builds the program, and runs it until the test ends.
func startDemo(t *testing.T) *demo {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, "syncpayloads")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/syncpayloads")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the server: %v\n%s", err, out)
	}
	file := filepath.Join(folder, "ready.json")
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, program, "demo", "--no-open", "--ready-file", file)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
	})
	// it says how to go on when the file is there
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C") {
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("the demo did not begin: %v", err)
	}
	d := &demo{}
	if err := json.Unmarshal(text, d); err != nil {
		t.Fatal(err)
	}
	d.connect(t)
	return d
}

// connect makes the adapter on which the SDK's request builders stand.
func (d *demo) connect(t *testing.T) {
	t.Helper()
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		t.Fatal(err)
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)
	d.heard = &listener{to: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities}}}
	adapter,
		err := kiota.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		authentication.NewBaseBearerTokenAuthenticationProvider(bearer(d.Token)),
		answers(), wire.NewJsonSerializationWriterFactory(),
		&http.Client{Transport: kiota.NewCustomTransportWithParentTransport(d.heard)})
	if err != nil {
		t.Fatal(err)
	}
	adapter.SetBaseUrl(d.URL + "/beta")
	d.adapter = adapter
}

// answers reads what answers are made of: JSON, and the plain text of counts.
func answers() serialization.ParseNodeFactory {
	r := serialization.NewParseNodeFactoryRegistry()
	r.ContentTypeAssociatedFactories["application/json"] = wire.NewJsonParseNodeFactory()
	r.ContentTypeAssociatedFactories["text/plain"] = plain.NewTextParseNodeFactory()
	return r
}

// post sends what the SDK does not know: the action.
func (d *demo) post(t *testing.T, path string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", d.URL+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.Token)
	r.Header.Set("Content-Type", "application/json")
	response, err := d.heard.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusMultipleChoices {
		said, _ := io.ReadAll(response.Body)
		t.Fatalf("POST %s: %s %s", path, response.Status, said)
	}
}

// listener keeps the last answer as it came, which the SDK shows only as it read it.
type listener struct {
	to http.RoundTripper

	mu   sync.Mutex
	last []byte
}

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	// newer members of enumerations are shown to who asks for them
	r.Header.Set("Prefer", "include-unknown-enum-members")
	response, err := l.to.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(text))
	l.mu.Lock()
	l.last = text
	l.mu.Unlock()
	return response, nil
}

// raw is the last answer as JSON. What is no JSON, such as a count, is nil.
func (l *listener) raw() any {
	l.mu.Lock()
	defer l.mu.Unlock()
	reader := json.NewDecoder(bytes.NewReader(l.last))
	reader.UseNumber()
	var value any
	if reader.Decode(&value) != nil {
		return nil
	}
	return value
}

type bearer string

func (b bearer) GetAuthorizationToken(context.Context, *url.URL, map[string]any) (string, error) {
	return string(b), nil
}

func (bearer) GetAllowedHostsValidator() *authentication.AllowedHostsValidator {
	v, err := authentication.NewAllowedHostsValidatorErrorCheck(nil)
	if err != nil {
		panic(err) // of no hosts none is malformed
	}
	return v
}
