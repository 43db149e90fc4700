package server

import (
	"crypto/x509"
	"fmt"
	"net/netip"

	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// Notify is where notifications may go, beyond public addresses by HTTPS.
type Notify struct {
	AllowHTTP bool
	Allow     []netip.Prefix // private and other special addresses
	CAPEM     []byte         // certificates, trusted beside the system's
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

// roots is the system's pool with the operator's CAs; nil: the system's.
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
