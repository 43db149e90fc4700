package main

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/syncpayloads/syncpayloads/internal/server"
)

// notifyFlags say where change notifications may be sent (server.Notify).
type notifyFlags struct {
	NotifyAllow     []netip.Prefix `help:"Let notifications go to these private or special addresses, such as 10.1.0.0/16. Repeatable." placeholder:"CIDR" group:"Notifications"`
	NotifyAllowHTTP bool           `name:"notify-allow-http" help:"Let notifications go to receivers without TLS." group:"Notifications"`
	NotifyCA        string         `name:"notify-ca" help:"CA of receivers' certificates, a PEM file, believed beside the system's." placeholder:"FILE" predictor:"file" group:"Notifications"`
}

func (n *notifyFlags) notify() (server.Notify, error) {
	config := server.Notify{AllowHTTP: n.NotifyAllowHTTP, Allow: n.NotifyAllow}
	if n.NotifyCA == "" {
		return config, nil
	}
	var err error
	if config.CAPEM, err = os.ReadFile(n.NotifyCA); err != nil {
		return config, fmt.Errorf("reading the CA of receivers: %w", err)
	}
	return config, nil
}
