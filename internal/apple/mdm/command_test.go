package mdm_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

func asJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const task = "5b0e6a1c-6f3c-4a52-9d5d-4d2f1e0c7a11"

func install(kind action.PayloadType, identifier string, content []byte) *engine.Task {
	t := uninstall(kind, identifier)
	t.Kind, t.Content = action.Install, &catalog.Payload{Content: content}
	return t
}

func uninstall(kind action.PayloadType, identifier string) *engine.Task {
	return &engine.Task{Task: action.Task{ID: task, Kind: action.Uninstall,
		Payload: action.Spec{Type: kind, Identifier: identifier}}}
}

func inventory(c action.Class, identifiers ...string) *engine.Task {
	return &engine.Task{Task: action.Task{ID: task, Kind: action.TakeInventory, Class: c,
		Identifiers: identifiers}}
}

func second(t *engine.Task) *engine.Task {
	t.Second = true
	return t
}

const (
	phone = "iPhone15,2"
	mac   = "Mac16,10"
	tv    = "AppleTV14,1"
)

// The wanted dictionaries are Apple's documented commands, "Commands and Queries" in Device
// Management.
func TestCommands(t *testing.T) {
	profile := []byte("<plist><dict/></plist>")
	configuration := propertylist.Dictionary{"server": "https://example", "port": int64(443),
		"on": true, "key": []byte{1, 2},
		"list": []any{"a", map[string]any{"b": 1.5}}}
	read := map[string]any{"server": "https://example", "port": uint64(443), "on": true,
		"key": []byte{1, 2}, "list": []any{"a", dict{"b": 1.5}}}
	for name, c := range map[string]struct {
		product string
		task    *engine.Task
		uuid    string
		want    dict
	}{
		"install profile": {phone, install(action.DeviceConfiguration, "p", profile), task,
			dict{"RequestType": "InstallProfile", "Payload": profile}},
		"install policy": {mac, install(action.ConfigurationPolicy, "p", profile), task,
			dict{"RequestType": "InstallProfile", "Payload": profile}},
		"remove profile": {phone, uninstall(action.DeviceConfiguration, "p"), task,
			dict{"RequestType": "RemoveProfile", "Identifier": "p"}},
		"store app": {phone, install(action.Application, "app",
			asJSON(t, payload.AppSettings{BundleID: "app", StoreID: 361309726})), task,
			dict{"RequestType": "InstallApplication", "iTunesStoreID": uint64(361309726),
				"ChangeManagementState": "Managed"}},
		"volume app": {tv, install(action.Application, "app",
			asJSON(t, payload.AppSettings{StoreID: 5, DeviceLicensed: true, RemoveWithMDM: true,
				Configuration: configuration})), task,
			dict{"RequestType": "InstallApplication", "iTunesStoreID": uint64(5),
				"ManagementFlags": uint64(1),
				"Options":         dict{"PurchaseMethod": uint64(1)}, "Configuration": read,
				"ChangeManagementState": "Managed"}},
		"volume app on a Mac": {mac, install(action.Application, "app",
			asJSON(t, payload.AppSettings{StoreID: 5, DeviceLicensed: true})), task,
			dict{"RequestType": "InstallApplication", "iTunesStoreID": uint64(5),
				"Options":               dict{"PurchaseMethod": uint64(1)},
				"ChangeManagementState": "Managed", "InstallAsManaged": true}},
		"enterprise app": {phone, install(action.Application, "app",
			asJSON(t, payload.AppSettings{ManifestURL: "https://example/m.plist"})), task,
			dict{"RequestType": "InstallApplication", "ManifestURL": "https://example/m.plist",
				"ChangeManagementState": "Managed"}},
		"package on a Mac": {mac, install(action.Application, "app",
			asJSON(t, payload.AppSettings{ManifestURL: "https://example/m.plist"})), task,
			dict{"RequestType": "InstallEnterpriseApplication",
				"ManifestURL": "https://example/m.plist", "ChangeManagementState": "Managed",
				"InstallAsManaged": true}},
		"remove app": {mac, uninstall(action.Application, "app"), task,
			dict{"RequestType": "RemoveApplication", "Identifier": "app"}},
		"set configuration": {phone, install(action.AppConfiguration, "app",
			asJSON(t, payload.AppConfiguration{BundleID: "app", Configuration: configuration})),
			task, dict{"RequestType": "Settings", "Settings": []any{
				dict{"Item": "ApplicationConfiguration", "Identifier": "app",
					"Configuration": read}}}},
		"remove configuration": {phone, uninstall(action.AppConfiguration, "app"), task,
			dict{"RequestType": "Settings",
				"Settings": []any{dict{"Item": "ApplicationConfiguration", "Identifier": "app"}}}},
		"profiles": {phone, inventory(action.Profiles, "p"), task + ".profiles",
			dict{"RequestType": "ProfileList", "ManagedOnly": true}},
		"no profiles": {mac, inventory(action.Profiles), task + ".profiles",
			dict{"RequestType": "ProfileList", "ManagedOnly": true}},
		"apps": {phone, inventory(action.Apps, "a", "b"), task + ".apps",
			dict{"RequestType": "ManagedApplicationList", "Identifiers": []any{"a", "b"}}},
		"apps of a TV": {tv, inventory(action.Apps, "a"), task + ".apps",
			dict{"RequestType": "ManagedApplicationList", "Identifiers": []any{"a"}}},
		"managed apps of a Mac": {mac, inventory(action.Apps, "a"), task + ".managed",
			dict{"RequestType": "ManagedApplicationList", "Identifiers": []any{"a"}}},
		"apps of a Mac": {mac, second(inventory(action.Apps, "a")), task + ".apps",
			dict{"RequestType": "InstalledApplicationList", "Identifiers": []any{"a"},
				"ManagedAppsOnly": false}},
		"configurations": {phone, inventory(action.AppConfigurations, "a"),
			task + ".configurations",
			dict{"RequestType": "ManagedApplicationConfiguration", "Identifiers": []any{"a"}}},
		"facts": {phone, inventory(action.Facts), task + ".facts",
			dict{"RequestType": "DeviceInformation", "Queries": []any{"DeviceName", "OSVersion",
				"ProductName", "ModelName", "Model", "SerialNumber", "WiFiMAC", "IsSupervised"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			d := s.newDevice(t, "1", 1)
			d.facts["ProductName"] = c.product
			d.want(http.StatusOK, d.authenticate())
			s.engine.give(c.task)
			got := decode(t, d.want(http.StatusOK, d.idle()).body)
			if want := (dict{"CommandUUID": c.uuid, "Command": c.want}); !reflect.DeepEqual(got,
				want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestTasksThatNeedNoDevice(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	profile := install(action.DeviceConfiguration, mdm.EnrollmentPayloadIdentifier,
		[]byte("<plist/>"))
	noContent := install(action.DeviceConfiguration, "p", nil)
	noContent.Content = nil
	for name, c := range map[string]struct {
		task *engine.Task
		want action.Verdict
	}{
		"remove the enrollment": {uninstall(action.DeviceConfiguration,
			mdm.EnrollmentPayloadIdentifier), action.Permanent},
		"remove it in another case": {uninstall(action.DeviceConfiguration,
			"COM.github.Syncpayloads.Enrollment"), action.Permanent},
		"remove its identity": {uninstall(action.ConfigurationPolicy,
			mdm.EnrollmentPayloadIdentifier+".identity"), action.Permanent},
		"replace the enrollment": {profile, action.Permanent},
		"install nothing":        {noContent, action.Permanent},
		"app from nowhere": {install(action.Application, "app", []byte(`{}`)),
			action.Permanent},
		"app settings that are not JSON": {install(action.Application, "app", []byte(`x`)),
			action.Permanent},
		"configuration that is not JSON": {install(action.AppConfiguration, "app", []byte(`x`)),
			action.Permanent},
		"empty configuration": {install(action.AppConfiguration, "app", []byte(`{}`)),
			action.Permanent},
		"inventory of no apps":           {inventory(action.Apps), action.Accepted},
		"inventory of no configurations": {inventory(action.AppConfigurations), action.Accepted},
	} {
		next := uninstall(action.DeviceConfiguration, "next")
		next.ID = "6b0e6a1c-6f3c-4a52-9d5d-4d2f1e0c7a11"
		s.engine.give(c.task, next)
		got := decode(t, d.want(http.StatusOK, d.idle()).body)
		if got["Command"].(dict)["Identifier"] != "next" {
			t.Errorf("%s: the device was sent %v", name, got)
		}
		r := s.engine.lastReport(t)
		if r.Task != task || r.Outcome.Verdict != c.want || r.Outcome.Detail == "" {
			t.Errorf("%s: the engine was told %+v", name, r)
		}
		if c.want == action.Permanent && r.Outcome.Code == 0 {
			t.Errorf("%s: an error without a code", name)
		}
	}
}
