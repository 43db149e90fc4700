package channel

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

// mostNames bounds the policies and apps that are mirrored of one tenant.
const mostNames = 20_000

// types are the kinds of payloads, by what Intune calls them.
var types = map[tenant.Kind]action.PayloadType{tenant.App: action.Application,
	tenant.Configuration: action.DeviceConfiguration, tenant.Policy: action.ConfigurationPolicy,
	tenant.AppConfig: action.AppConfiguration}

// names lists the policies and apps of a tenant, so that the catalog shows them.
func (p *pass) names(ctx context.Context) error {
	p.asked = true
	began := p.now().UTC()
	if err := p.store.UpdateIntuneState(ctx, p.tenant.ID,
		func(s *State) { s.NamesTried = began }); err != nil {
		return err
	}
	stored, err := p.store.MirroredNames(ctx, p.tenant.Name)
	if err != nil {
		return err
	}
	seen := make(map[action.PayloadID]bool)
	err = p.client.Names(ctx, func(page []tenant.Named) error {
		if err := p.lease.renew(ctx); err != nil {
			return err
		}
		var changed []*catalog.Payload
		for i := range page {
			one := p.payload(&page[i])
			if one == nil || seen[one.ID] {
				continue
			}
			if seen[one.ID] = true; len(seen) > mostNames {
				return fmt.Errorf("the tenant has more than %d policies and apps for phones and "+
					"tablets", mostNames)
			}
			old, known := stored[one.ID]
			if !known || old.Name != one.DisplayName || !old.Modified.Equal(one.LastModified) {
				changed = append(changed, one)
			}
		}
		return p.store.SaveMirroredPayloads(ctx, changed)
	})
	if err != nil {
		return err
	}
	var gone []action.PayloadID
	for id := range stored {
		if !seen[id] {
			gone = append(gone, id)
		}
	}
	if err := p.store.DropMirroredPayloads(ctx, p.tenant.Name, gone); err != nil {
		return err
	}
	return p.store.UpdateIntuneState(ctx, p.tenant.ID, func(s *State) { s.NamesAt = began })
}

// payload is a policy or app of a tenant as the catalog shows it; nil: it is for other devices than
// are mirrored.
func (p *pass) payload(n *tenant.Named) *catalog.Payload {
	platforms := platformsOf(n)
	if platforms == nil {
		return nil
	}
	modified := kept(n.Modified)
	one := &catalog.Payload{ID: action.PayloadID(n.ID), Type: types[n.Kind], ODataType: n.Type,
		DisplayName: n.Name, SubType: subType(n), Platforms: platforms, Identifier: n.ID,
		Version: 1, Content: []byte{}, Properties: []byte("{}"), Tags: []string{fleet.DefaultTag},
		Created: kept(n.Created), LastModified: modified, MirroredFrom: p.tenant.Name}
	if tag := p.tenant.Settings.Tag; tag != "" {
		one.Tags = []string{tag}
	}
	if n.Publisher != "" {
		// texts marshal
		one.Properties, _ = json.Marshal(map[string]string{"publisher": n.Publisher})
	}
	return one
}

// kept is a time of a policy as it is kept; what Intune does not say is the beginning of 1970.
func kept(at time.Time) time.Time {
	if at.Year() < 1970 || at.Year() > 9999 {
		return time.UnixMicro(0).UTC()
	}
	return at.UTC().Truncate(time.Microsecond)
}

var (
	appleMobile = []fleet.Platform{fleet.IOS, fleet.IPadOS}
	androids    = []fleet.Platform{fleet.Android}
	everywhere  = []fleet.Platform{fleet.IOS, fleet.IPadOS, fleet.Android}
)

// platformsOf is what a policy or app is for, of what is mirrored; nil: nothing.
func platformsOf(n *tenant.Named) []fleet.Platform {
	t := strings.ToLower(n.Type)
	switch {
	case n.Kind == tenant.Policy && strings.Contains(strings.ToLower(n.Platforms), "ios"):
		return appleMobile
	case n.Kind == tenant.Policy && strings.Contains(strings.ToLower(n.Platforms), "android"):
		return androids
	case n.Kind == tenant.Policy:
		return nil
	case strings.HasPrefix(t, "ios"), strings.HasPrefix(t, "managedios"),
		strings.HasPrefix(t, "iosi"), strings.HasPrefix(t, "appledevicefeatures"):
		return appleMobile
	case strings.HasPrefix(t, "android"), strings.HasPrefix(t, "managedandroid"):
		return androids
	case t == "webapp", t == "manageddevicemobileappconfiguration":
		return everywhere
	}
	return nil
}

// subTypes are the kinds of a configuration, as itemSubTypeDisplayName names them, by what is in
// the name of its type. The first that fits counts.
var subTypes = []struct{ in, subType string }{{"wifi", "wiFi"}, {"vpn", "vpn"},
	{"trustedroot", "trustedCertificate"}, {"scep", "scepCertificate"},
	{"pkcs", "pkcsCertificate"}, {"certificate", "certificate"}, {"email", "email"},
	{"eas", "email"}, {"custom", "custom"}, {"generaldevice", "deviceRestrictions"},
	{"devicefeatures", "deviceFeatures"}}

// subType is what kind of policy or app it is.
func subType(n *tenant.Named) string {
	switch n.Kind {
	case tenant.App, tenant.AppConfig:
		return "application"
	case tenant.Policy:
		return "settingsCatalog"
	}
	t := strings.ToLower(n.Type)
	for _, one := range subTypes {
		if strings.Contains(t, one.in) {
			return one.subType
		}
	}
	return "custom"
}
