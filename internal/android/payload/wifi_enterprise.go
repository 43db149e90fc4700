package payload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

const (
	eapType         = "eapType"
	authentication  = "authenticationMethod"
	serverNames     = "trustedServerCertificateNames"
	rootCertificate = "rootCertificateForServerValidation"
	manyRoots       = "rootCertificatesForServerValidation"
	identity        = "identityCertificateForClientAuthentication"
	outerIdentity   = "outerIdentityPrivacyTemporaryValue"
	innerTTLS       = "innerAuthenticationProtocolForEapTtls"
	innerPEAP       = "innerAuthenticationProtocolForPeap"
	// Graph's names of other platforms; its type for these devices has none.
	userName = "usernameFormatString"
	password = "passwordFormatString"
)

// readEAP reads how an enterprise network lets a device in, and which certificates the device needs
// for it: ids of policies.
func readEAP(ctx context.Context, props catalog.Properties,
	look catalog.Lookup) (map[string]any, []action.PayloadID, error) {
	eap, err := readEAPType(props)
	if err != nil {
		return nil, nil, err
	}
	names, err := catalog.Read[[]string](props, serverNames, "a collection of strings")
	if err == nil {
		err = checkHosts(serverNames, names)
	}
	if err == nil && len(names) == 0 {
		err = &invalid.Input{Property: serverNames,
			Reason: "are missing: Android refuses an enterprise network without the names of its servers, such as radius.example.com"}
	}
	if err != nil {
		return nil, nil, err
	}
	eap["DomainSuffixMatch"] = anyOf(names)
	outer, err := catalog.Read[string](props, outerIdentity, "a string")
	if err == nil && len(outer) > 255 {
		err = &invalid.Input{Property: outerIdentity, Reason: "has more than 255 bytes"}
	}
	if err != nil {
		return nil, nil, err
	}
	if outer != "" {
		eap["AnonymousIdentity"] = outer
	}
	if err := readLogin(props, eap); err != nil {
		return nil, nil, err
	}
	needs, err := readRoots(ctx, props, look)
	if err != nil {
		return nil, nil, err
	}
	refs := make([]string, len(needs))
	for i, id := range needs {
		refs[i] = string(id)
	}
	eap["ServerCARefs"] = anyOf(refs)
	return eap, needs, nil
}

// maxLogin bounds user names and passwords, in bytes (RFC 3748: an EAP identity; 802.1X servers take
// no longer ones).
const maxLogin = 255

// readLogin reads by what the device logs in. Without a user name its user is asked for both, and
// without a password for that. Messages never say what the password is.
func readLogin(props catalog.Properties, eap map[string]any) error {
	for _, one := range []struct{ property, field string }{{userName, "Identity"},
		{password, "Password"}} {
		text, err := catalog.Read[string](props, one.property, "a string")
		switch {
		case err != nil:
			return err
		case text == "":
			continue
		case len(text) > maxLogin:
			return &invalid.Input{Property: one.property,
				Reason: fmt.Sprintf("has more than %d bytes", maxLogin)}
		case strings.Contains(text, "{{"):
			return &invalid.Input{Property: one.property,
				Reason: "has a {{token}} in it, which would need to know who uses the device: give it as it is to be sent, or leave it out, and the device asks its user"}
		}
		eap[one.field] = text
	}
	if eap["Password"] != nil && eap["Identity"] == nil {
		return &invalid.Input{Property: userName, Reason: "is missing: the password is of nobody"}
	}
	return nil
}

// readEAPType reads the methods, outer and inner.
func readEAPType(props catalog.Properties) (map[string]any, error) {
	given := make(map[string]string)
	for _, name := range []string{eapType, authentication, innerTTLS, innerPEAP} {
		text, err := catalog.Read[string](props, name, "a string")
		if err != nil {
			return nil, err
		}
		given[name] = text
	}
	if props.Has(identity) || given[authentication] == "certificate" ||
		given[authentication] == "derivedCredential" || given[eapType] == "eapTls" {
		at := authentication
		if given[eapType] == "eapTls" {
			at = eapType
		} else if props.Has(identity) {
			at = identity
		}
		return nil, &invalid.Input{Property: at, Reason: "cannot be kept: it needs a certificate of the device itself, which Google's API cannot bring to devices; use eapTtls or peap with usernameAndPassword"}
	}
	if m := given[authentication]; m != "" && m != "usernameAndPassword" {
		return nil, &invalid.Input{Property: authentication,
			Reason: fmt.Sprintf("%.60q is not usernameAndPassword", m)}
	}
	var outer, inner, other string
	var known map[string]string
	switch given[eapType] {
	case "eapTtls":
		outer, inner, other = "EAP-TTLS", innerTTLS, innerPEAP
		known = map[string]string{"unencryptedPassword": "PAP",
			"microsoftChapVersionTwo": "MSCHAPv2"}
	case "peap":
		outer, inner, other = "PEAP", innerPEAP, innerTTLS
		known = map[string]string{"": "", "none": "", "microsoftChapVersionTwo": "MSCHAPv2"}
	default:
		return nil, &invalid.Input{Property: eapType,
			Reason: fmt.Sprintf("%.60q is none of eapTtls, peap", given[eapType])}
	}
	if v := given[other]; v != "" && v != "none" {
		return nil, &invalid.Input{Property: other,
			Reason: "is not for " + eapType + " " + given[eapType]}
	}
	value, ok := known[given[inner]]
	if !ok {
		return nil, &invalid.Input{Property: inner, Reason: fmt.Sprintf(
			"%.60q cannot be kept: give %s", given[inner], quotedKeys(known))}
	}
	eap := map[string]any{"Outer": outer}
	if value != "" {
		eap["Inner"] = value
	}
	return eap, nil
}

func quotedKeys(m map[string]string) string {
	text := ""
	for _, key := range sortedKeys(m) {
		if key == "" {
			continue
		}
		if text != "" {
			text += " or "
		}
		text += key
	}
	return text
}

// readRoots reads which certificates the device is to trust the network's servers by, sorted.
func readRoots(ctx context.Context, props catalog.Properties,
	look catalog.Lookup) ([]action.PayloadID, error) {
	one, err := catalog.Read[string](props, rootCertificate, "the id of a policy")
	if err != nil {
		return nil, err
	}
	many, err := catalog.Read[[]string](props, manyRoots, "a collection of ids of policies")
	if err == nil {
		err = atMost(manyRoots, len(many))
	}
	if err != nil {
		return nil, err
	}
	if one != "" {
		many = append(many, one)
	}
	var needs []action.PayloadID
	for _, given := range many {
		p, err := readReference(ctx, rootCertificate, given, look, AndroidRootCertificate)
		if err != nil {
			return nil, err
		}
		needs = append(needs, p.ID)
	}
	if len(needs) == 0 {
		return nil, &invalid.Input{Property: rootCertificate,
			Reason: "is missing: give the id of a policy of the type #microsoft.graph." +
				AndroidRootCertificate + ", by which devices know the network's servers"}
	}
	slices.Sort(needs)
	return slices.Compact(needs), nil
}
