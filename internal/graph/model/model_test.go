package model_test

import (
	"slices"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/graph/model"
)

// TestProperty holds the table against facts of Graph's reference, one for each thing that it says
// of a property.
func TestProperty(t *testing.T) {
	for _, tt := range []struct {
		of, name string
		want     model.PropertyInfo
	}{
		{"managedDevice", "deviceName",
			model.PropertyInfo{Name: "deviceName", Type: "String", Nullable: true, Stable: true}},
		{"managedDevice", "isEncrypted",
			model.PropertyInfo{Name: "isEncrypted", Type: "Boolean", Stable: true}},
		{"managedDevice", "ownerType",
			model.PropertyInfo{Name: "ownerType", Type: "ownerType"}},
		{"managedDevice", "roleScopeTagIds", model.PropertyInfo{Name: "roleScopeTagIds",
			Type: "String", Collection: true, Nullable: true}},
		{"managedDevice", "detectedApps", model.PropertyInfo{Name: "detectedApps",
			Type: "detectedApp", Collection: true, Nullable: true, Navigation: true}},
		// letters of either case
		{"MANAGEDDEVICE", "DeviceName",
			model.PropertyInfo{Name: "deviceName", Type: "String", Nullable: true, Stable: true}},
		// of types that it derives from
		{"iosCustomConfiguration", "version",
			model.PropertyInfo{Name: "version", Type: "Int32", Stable: true}},
		{"iosCustomConfiguration", "id",
			model.PropertyInfo{Name: "id", Type: "String", Stable: true}},
		{"auditEvent", "correlationId",
			model.PropertyInfo{Name: "correlationId", Type: "Guid", Stable: true}},
	} {
		if got, ok := model.Property(tt.of, tt.name); !ok || got != tt.want {
			t.Errorf("%s.%s is %+v, %t", tt.of, tt.name, got, ok)
		}
	}
	for _, none := range [][2]string{{"managedDevice", "colour"}, {"managedDevice", ""},
		{"nothing", "id"}, {"", "id"}, {"deviceConfiguration", "payload"},
		// the letter K of another alphabet, which some foldings take for k
		{"managedDevice", "isEncr\u212apted"}} {
		if p, ok := model.Property(none[0], none[1]); ok {
			t.Errorf("%s has %+v", none, p)
		}
	}
}

func TestType(t *testing.T) {
	device, ok := model.Type("ManagedDevice")
	if !ok || device.Name != "managedDevice" || device.Base != "entity" ||
		device.Kind != model.Entity || !device.Stable || device.Abstract || device.Open {
		t.Errorf("managedDevice is %+v", device)
	}
	if app, _ := model.Type("mobileApp"); !app.Abstract {
		t.Error("mobileApp is not abstract")
	}
	if group, _ := model.Type("group"); !group.Open {
		t.Error("group is not open")
	}
	if p, _ := model.Type("macOSPkgApp"); p.Stable {
		t.Error("v1.0 has macOSPkgApp")
	}
	flags, _ := model.Type("deviceManagementConfigurationTechnologies")
	if !flags.Flags || !slices.Contains(flags.Members, model.Member{Name: "android", Value: 65536}) {
		t.Errorf("the technologies are %+v", flags)
	}
	enum, _ := model.Type("managementAgentType")
	if enum.Flags || enum.Kind != model.Enumeration || !slices.Contains(enum.Members,
		model.Member{Name: "easMdm", Value: 3, Stable: true}) {
		t.Errorf("the agents are %+v", enum)
	}
	// the name of its first member says of other types that they are open
	if security, _ := model.Type("wiFiSecurityType"); security.Open || len(security.Members) != 6 ||
		security.Members[0].Name != "open" || security.Members[1].Value != 1 {
		t.Errorf("the kinds of Wi-Fi security are %+v", security)
	}
	if _, ok := model.Type("windows10CustomConfiguration"); ok {
		t.Error("a type is there that nobody needs")
	}
}

func TestProperties(t *testing.T) {
	all := model.Properties("iosVppApp")
	at := func(name string) int {
		return slices.IndexFunc(all, func(p model.PropertyInfo) bool { return p.Name == name })
	}
	if at("id") != 0 || at("displayName") < 1 || at("vppTokenId") < at("displayName") {
		t.Errorf("iosVppApp has %+v", all)
	}
	if len(model.Properties("nothing")) != 0 {
		t.Error("a type that is not there has properties")
	}
	if !model.Is("iosVppApp", "mobileApp") || !model.Is("iosVppApp", "iosVppApp") ||
		model.Is("mobileApp", "iosVppApp") || model.Is("nothing", "nothing") {
		t.Error("what derives from what")
	}
}

// TestTableHoldsTogether finds what a property's type is, and every base.
func TestTableHoldsTogether(t *testing.T) {
	primitives := []string{"String", "Boolean", "Int32", "Int64", "Double", "Single", "Byte",
		"Binary", "Guid", "DateTimeOffset", "Date", "TimeOfDay", "Duration"}
	names := model.Names()
	if len(names) < 200 {
		t.Fatalf("%d types", len(names))
	}
	for _, name := range names {
		of, _ := model.Type(name)
		if base, ok := model.Type(of.Base); of.Base != "" && (!ok || base.Kind != of.Kind) {
			t.Errorf("%s derives from %s", name, of.Base)
		}
		seen := map[string]bool{}
		for _, p := range model.Properties(name) {
			inner, known := model.Type(p.Type)
			switch {
			case seen[p.Name]:
				t.Errorf("%s has %s twice", name, p.Name)
			case p.Navigation:
			case slices.Contains(primitives, p.Type):
			case !known, inner.Kind == model.Entity:
				t.Errorf("%s.%s is %s", name, p.Name, p.Type)
			}
			seen[p.Name] = true
		}
		values := map[int64]bool{}
		for _, m := range of.Members {
			if values[m.Value] {
				t.Errorf("%s has two members %d", name, m.Value)
			}
			values[m.Value] = true
		}
	}
}
