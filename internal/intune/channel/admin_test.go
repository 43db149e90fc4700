package channel_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

func TestConnect(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	s := w.state()
	if len(s.Thumbprint) != 64 || !strings.Contains(string(s.CertificatePEM), "CERTIFICATE") ||
		strings.Contains(string(s.CertificatePEM), "KEY") ||
		s.Settings.CertificateEnds.Sub(w.clock.Now()) < 700*24*time.Hour {
		t.Errorf("it is %+v", s)
	}
	for property, in := range map[string]channel.Connection{
		"name":     {Name: "Contoso", TenantID: "other", ClientID: "c"},
		"tenantId": {Name: "again", TenantID: strings.ToUpper(w.tenant.ID), ClientID: "c"},
		"tenant":   {Name: "bad", TenantID: "t/..", ClientID: "c"},
		"roleScopeTagId": {Name: "tag", TenantID: "t", ClientID: "c",
			Tag: "77"},
	} {
		_, err := w.channel.Connect(t.Context(), in)
		var wrong *invalid.Input
		if !errors.As(err, &wrong) || wrong.Property != property {
			t.Errorf("%s: %v", property, err)
		}
	}
	for _, name := range []string{"", " ", "a\nb", strings.Repeat("x", 65)} {
		if _, err := w.channel.Connect(t.Context(), channel.Connection{Name: name, TenantID: "t",
			ClientID: "c"}); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	for _, graph := range []string{"http://graph.example", "file:///etc"} {
		if _, err := w.channel.Connect(t.Context(), channel.Connection{Name: "x", TenantID: "t",
			ClientID: "c", Secret: "s", Graph: graph}); err == nil {
			t.Errorf("tokens go to %s", graph)
		}
	}
}

// Each permission is tried, and what is missing has its name.
func TestTry(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	tried, excess, err := w.channel.Try(t.Context(), w.id)
	if err != nil || len(tried) != 4 || len(excess) > 0 {
		t.Fatalf("%v, %v, %v", tried, excess, err)
	}
	for _, one := range tried {
		if !one.Works || !one.Granted || one.Why != "" {
			t.Errorf("%+v", one)
		}
	}
	w.app = w.tenant.Register("poor", "DeviceManagementManagedDevices.Read.All")
	other := w.site.AddTenant("Fabrikam")
	poor := other.Register("poor", "DeviceManagementManagedDevices.Read.All")
	shown, err := w.channel.Connect(t.Context(), channel.Connection{Name: "Fabrikam",
		TenantID: other.ID, ClientID: poor.ID, Secret: poor.AddSecret(time.Hour), ReadOnly: true,
		Authority: w.url, Graph: w.url})
	if err != nil {
		t.Fatal(err)
	}
	if len(shown.CertificatePEM) > 0 || !shown.Settings.CertificateEnds.IsZero() {
		t.Errorf("with a secret there is a certificate: %+v", shown)
	}
	tried, _, err = w.channel.Try(t.Context(), shown.ID)
	if err != nil || len(tried) != 3 || !tried[0].Works || tried[1].Works || tried[2].Works {
		t.Errorf("%+v, %v", tried, err)
	}
	for _, one := range tried[1:] {
		if one.Granted || !strings.Contains(one.Why, "403") {
			t.Errorf("%+v", one)
		}
	}
}

// A certificate is replaced once Entra ID takes the new one, and its end is warned of.
func TestCertificateEnds(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	if err := w.channel.UseCertificate(t.Context(), w.id); !errors.Is(err,
		channel.ErrNoCertificate) {
		t.Errorf("there is a new certificate: %v", err)
	}
	w.clock.advance(700*24*time.Hour + 12*time.Hour)
	if s := w.state(); len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "ends at") {
		t.Errorf("the warnings are %q", s.Warnings)
	}
	before := w.state()
	fresh, err := w.channel.NewCertificate(t.Context(), w.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.channel.UseCertificate(t.Context(), w.id); err == nil ||
		w.state().Thumbprint != before.Thumbprint {
		t.Errorf("a certificate that was not uploaded is used: %v", err)
	}
	w.upload(fresh)
	if err := w.channel.UseCertificate(t.Context(), w.id); err != nil {
		t.Fatal(err)
	}
	s := w.state()
	if string(s.CertificatePEM) != string(fresh) || len(s.Warnings) > 0 {
		t.Errorf("it is %+v", s)
	}
	w.clock.advance(100 * 24 * time.Hour) // past the old one's end
	w.pass()
	w.clock.advance(700 * 24 * time.Hour)
	if s := w.state(); len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "ended at") {
		t.Errorf("the warnings are %q", s.Warnings)
	}
}

// Disconnecting lets the devices leave here, forgets what the tenant keeps, and changes nothing
// there.
func TestDisconnect(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d, _ := w.furnish()
	w.pass()
	w.refresh(d)
	w.site.Forget()
	if err := w.channel.Disconnect(t.Context(), w.id); err != nil {
		t.Fatal(err)
	}
	w.wantManaged()
	w.wantAssigned(d)
	if names, err := w.store.MirroredNames(t.Context(), "Contoso"); err != nil || len(names) > 0 {
		t.Errorf("the catalog has %v, %v", names, err)
	}
	if _, err := w.channel.Show(t.Context(), w.id); !errors.Is(err, channel.ErrNotFound) {
		t.Errorf("the tenant is there: %v", err)
	}
	if _, err := w.store.IntuneCredential(t.Context(), w.id); !errors.Is(err,
		channel.ErrNotFound) {
		t.Errorf("its key is there: %v", err)
	}
	if asked := w.site.Requests(); len(asked) > 0 {
		t.Errorf("Intune was asked %v", asked)
	}
	if err := w.channel.Pass(t.Context(), w.id); !errors.Is(err, channel.ErrNotFound) {
		t.Errorf("it is tended: %v", err)
	}
	// and it can be connected again: the devices are the same
	w.id = w.connect(channel.Connection{Name: "Contoso", ReadOnly: true})
	w.pass()
	w.wantManaged(d)
}

// An edit reaches the devices: one of a tenant that is only read says so.
func TestEdit(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d, _ := w.furnish()
	w.pass()
	yes := true
	if err := w.channel.Edit(t.Context(), w.id, channel.Change{ReadOnly: &yes}); err != nil {
		t.Fatal(err)
	}
	w.later(time.Hour)
	devices, err := w.store.IntuneDevicesAfter(t.Context(), w.id, "", 10)
	if err != nil || len(devices) != 1 || string(devices[0].ID) != d.ID ||
		!strings.Contains(devices[0].Details.Unsupported, "read only") {
		t.Errorf("%+v, %v", devices, err)
	}
	list, err := w.channel.Tenants(t.Context())
	if err != nil || len(list) != 1 || !list[0].Settings.ReadOnly ||
		!slices.Equal(list[0].Warnings, nil) {
		t.Errorf("%+v, %v", list, err)
	}
}
