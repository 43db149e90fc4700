package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"time"

	"github.com/micromdm/plist"
)

// manifestServer serves the manifest of a package over HTTPS, from where a Mac installs it (Apple,
// "Manifest URL").
type manifestServer struct {
	url         string
	certificate *x509.Certificate // its own, for devices to trust
	http        *http.Server
}

const manifestPath = "/inventory-agent.plist"

func startManifestServer(log *slog.Logger) (*manifestServer, error) {
	pair, err := loopbackCertificate(time.Now())
	if err != nil {
		return nil, fmt.Errorf("the manifest's server: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the manifest's server: %w", err)
	}
	host := "https://" + listener.Addr().String()
	manifest, err := plist.MarshalIndent(packageManifest(host+"/inventory-agent.pkg"), "\t")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+manifestPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write(manifest)
	})
	m := &manifestServer{url: host + manifestPath, certificate: pair.Leaf,
		http: &http.Server{Handler: mux,
			ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(),
				slog.LevelDebug),
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair},
				MinVersion: tls.VersionTLS12}}}
	go m.http.ServeTLS(listener, "", "") //nolint:errcheck // ends with close
	return m, nil
}

func (m *manifestServer) close() error { return m.http.Close() }

// packageManifest names the package. A simulated Mac reads what it is and does not download it.
func packageManifest(url string) map[string]any {
	return map[string]any{"items": []any{map[string]any{
		"assets": []any{map[string]any{"kind": "software-package", "url": url}},
		"metadata": map[string]any{"kind": "software", "bundle-identifier": inventoryAgent,
			"bundle-version": "2.4.1",
			"title":          "Inventory Agent"},
	}}}
}

// loopbackCertificate is a self-signed TLS certificate for this machine.
func loopbackCertificate(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()),
		Subject:   pkix.Name{CommonName: "demo manifests"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 1, 0),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
