package payload

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// networks are the payload types that bring a device onto a network or through it, how a person
// calls each, and the key that holds its name (Apple Developer, "Profile-Specific Payload Keys").
var networks = map[string]struct{ what, name string }{
	"com.apple.wifi.managed":                 {"the Wi-Fi network", "SSID_STR"},
	"com.apple.vpn.managed":                  {"the VPN", "UserDefinedName"},
	"com.apple.vpn.managed.applayer":         {"the VPN", "UserDefinedName"},
	"com.apple.cellular":                     {"the cellular access", ""},
	"com.apple.apn.managed":                  {"the cellular access", ""},
	"com.apple.globalethernet.managed":       {"the wired network", ""},
	"com.apple.firstactiveethernet.managed":  {"the wired network", ""},
	"com.apple.firstethernet.managed":        {"the wired network", ""},
	"com.apple.secondactiveethernet.managed": {"the wired network", ""},
	"com.apple.secondethernet.managed":       {"the wired network", ""},
	"com.apple.thirdactiveethernet.managed":  {"the wired network", ""},
	"com.apple.thirdethernet.managed":        {"the wired network", ""},
	"com.apple.proxy.http.global":            {"the proxy", "ProxyServer"},
	"com.apple.relay.managed":                {"the relay", ""},
	"com.apple.dnsSettings.managed":          {"the DNS server", ""},
}

// identities are the payload types by which a device shows who it is to a network.
var identities = []string{"com.apple.security.scep", "com.apple.security.pkcs12",
	"com.apple.security.acme",
	"com.apple.ADCertificate.managed"}

// anchors are the payload types by which a device trusts others.
var anchors = []string{"com.apple.security.root", "com.apple.security.pkcs1",
	"com.apple.security.pem"}

// risks tells by what taking a profile off may cut a device off. server is the certificate chain
// that the server shows; with the server's own CA it is empty, because the enrollment profile
// brings that.
func (p *Profile) risks(server []*x509.Certificate) []catalog.Risk {
	var risks []catalog.Risk
	add := func(r catalog.Risk) {
		if !slices.Contains(risks, r) {
			risks = append(risks, r)
		}
	}
	for _, inner := range p.inside() {
		kind, _ := inner["PayloadType"].(string)
		network, isNetwork := networks[kind]
		switch {
		case isNetwork:
			name, _ := inner[network.name].(string)
			if name != "" {
				name = fmt.Sprintf(" “%.60s”", name)
			}
			add(catalog.Risk{Reason: "it carries " + network.what + name +
				", by which the device may reach the server"})
		case slices.Contains(identities, kind):
			add(catalog.Risk{Reason: "it carries a certificate by which the device may be let into a network"})
		case slices.Contains(anchors, kind):
			if content, _ := inner["PayloadContent"].([]byte); trusts(content, server) {
				add(catalog.Risk{Certain: true,
					Reason: "it carries the certificate by which the device trusts this server"})
			} else {
				add(catalog.Risk{Reason: "it carries a certificate by which the device may trust a network"})
			}
		}
	}
	return risks
}

// trusts reports whether a certificate, DER or PEM, is in the chain or signed its last one.
func trusts(content []byte, chain []*x509.Certificate) bool {
	if block, _ := pem.Decode(content); block != nil {
		content = block.Bytes
	}
	anchor, err := x509.ParseCertificate(content)
	if err != nil || len(chain) == 0 {
		return false
	}
	return slices.ContainsFunc(chain, anchor.Equal) ||
		chain[len(chain)-1].CheckSignatureFrom(anchor) == nil
}
