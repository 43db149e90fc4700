package server

import (
	"crypto/x509"
	"fmt"
	"net/netip"

	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// Notify says where change notifications may be sent, beyond public addresses over HTTPS.
type Notify struct {
	AllowHTTP bool
	Allow     []netip.Prefix // private and other special addresses that are allowed
	CAPEM     []byte         // CA certificates to trust beside the system's, PEM
}

func (s *Server) newNotify(c Config) (*notify.Service, error) {
	roots, err := c.Notify.roots()
	if err != nil {
		return nil, err
	}
	return notify.New(notify.Config{Store: s.store, Events: s.events, Access: s.gate,
		Devices: s.store, Payloads: s.catalog, Tenant: s.tenant,
		AllowHTTP: c.Notify.AllowHTTP, Allow: c.Notify.Allow, RootCAs: roots, Now: c.Clock.Now,
		Log: c.Log}), nil
}

// roots returns the system's CAs with those of CAPEM; nil: the system's alone.
func (n *Notify) roots() (*x509.CertPool, error) {
	if n.CAPEM == nil {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the system's certificates: %w", err)
	}
	if !pool.AppendCertsFromPEM(n.CAPEM) {
		return nil, fmt.Errorf("the CA of the receivers of notifications has no certificate in PEM")
	}
	return pool, nil
}
