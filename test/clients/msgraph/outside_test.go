// Package msgraph_test is Microsoft's beta SDK for Go as it is, against the server with a whole
// catalog. It is a module of its own, because the SDK compiles for minutes: `make outside` runs it.
package msgraph_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/microsoft/kiota-abstractions-go/serialization"
	wire "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-beta-sdk-go/models"
)

// entry is a thing to make: where, and as which body. What has a name can be referred to by later
// ones, as {name}.
type entry struct {
	Name, Path string
	Body       json.RawMessage
}

// makers read the body of a thing into what the SDK has for it, by the collection.
var makers = map[string]serialization.ParsableFactory{
	"deviceConfigurations":    models.CreateDeviceConfigurationFromDiscriminatorValue,
	"mobileApps":              models.CreateMobileAppFromDiscriminatorValue,
	"mobileAppConfigurations": models.CreateManagedDeviceMobileAppConfigurationFromDiscriminatorValue,
	"configurationPolicies":   models.CreateDeviceManagementConfigurationPolicyFromDiscriminatorValue,
	"roleScopeTags":           models.CreateRoleScopeTagFromDiscriminatorValue,
	"roleDefinitions":         models.CreateRoleDefinitionFromDiscriminatorValue,
	"groups":                  models.CreateGroupFromDiscriminatorValue,
}

// assigners are the same of assignments.
var assigners = map[string]serialization.ParsableFactory{
	"deviceConfigurations":    models.CreateDeviceConfigurationAssignmentFromDiscriminatorValue,
	"mobileApps":              models.CreateMobileAppAssignmentFromDiscriminatorValue,
	"mobileAppConfigurations": models.CreateManagedDeviceMobileAppConfigurationAssignmentFromDiscriminatorValue,
	"configurationPolicies":   models.CreateDeviceManagementConfigurationPolicyAssignmentFromDiscriminatorValue,
}

// TestOutside has Microsoft's SDK write one thing of every type that there is, and then read all
// that can be read. What the server says must be in the SDK's typed getters, with the same value.
func TestOutside(t *testing.T) {
	o := &outside{T: t, demo: startDemo(t), lists: make(map[string][]string),
		wasRead: make(map[string]bool)}
	made := o.write(catalog(t))
	o.act()
	o.readAll()
	for path, ids := range made {
		for _, id := range ids {
			if !slices.Contains(o.lists[path], id) {
				t.Errorf("%s of %s is not in the list", id, path)
			}
		}
	}
	t.Logf("%d addresses read, %d values compared", o.reads, o.seen.values)
	if o.reads < 300 || o.seen.values < 10_000 {
		t.Error("that is not all that there is")
	}
}

type outside struct {
	*testing.T
	*demo
	lists   map[string][]string // the ids in each list that was read
	wasRead map[string]bool
	seen    comparison
	reads   int
}

// catalog is one thing of every type: what all tests of clients share, and the examples of typed
// configurations.
func catalog(t *testing.T) (all []entry) {
	t.Helper()
	text, err := os.ReadFile("../catalog.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(root + "/internal/apple/payload/testdata/typed/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples of typed configurations: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head := `{"@odata.type":"#microsoft.graph.` + name + `","displayName":"` + name + `",`
		all = append(all, entry{Path: "/beta/deviceManagement/deviceConfigurations",
			Body: json.RawMessage(head + strings.TrimSpace(string(text))[1:])})
	}
	return append(all,
		entry{Path: "/beta/deviceManagement/roleScopeTags",
			Body: json.RawMessage(`{"displayName":"Outside","description":"x"}`)},
		entry{Path: "/beta/deviceManagement/roleDefinitions",
			Body: json.RawMessage(`{"@odata.type":"#microsoft.graph.deviceAndAppManagementRoleDefinition",
				"displayName":"Outside","description":"x","rolePermissions":[{"resourceActions":[{
				"allowedResourceActions":["Microsoft.Intune_ManagedDevices_Read"]}]}]}`)})
}

// parse reads JSON into one of the SDK's types.
func (o *outside) parse(text []byte, as serialization.ParsableFactory) serialization.Parsable {
	o.Helper()
	node, err := wire.NewJsonParseNodeFactory().GetRootParseNode("application/json", text)
	if err != nil {
		o.Fatal(err)
	}
	typed, err := node.GetObjectValue(as)
	if err != nil {
		o.Fatalf("%.200s: %v", text, err)
	}
	return typed
}

// unwritable is a property that the SDK only reads for some types, and that must be given here.
const unwritable = "packageId"

// written is the same of a body that is to be sent, with what the SDK does not write of itself.
func (o *outside) written(text []byte, as serialization.ParsableFactory) serialization.Parsable {
	o.Helper()
	typed := o.parse(text, as)
	var given map[string]any
	if err := json.Unmarshal(text, &given); err != nil {
		o.Fatal(err)
	}
	holder, ok := typed.(serialization.AdditionalDataHolder)
	if value, found := given[unwritable].(string); ok && found && !o.writes(typed, unwritable) {
		more := holder.GetAdditionalData()
		more[unwritable] = &value
		holder.SetAdditionalData(more)
	}
	return typed
}

// writes reports whether the SDK writes a property of a body by itself.
func (o *outside) writes(body serialization.Parsable, property string) bool {
	o.Helper()
	w := wire.NewJsonSerializationWriter()
	defer w.Close()
	if err := w.WriteObjectValue("", body); err != nil {
		o.Fatal(err)
	}
	text, err := w.GetSerializedContent()
	if err != nil {
		o.Fatal(err)
	}
	return strings.Contains(string(text), `"`+property+`":`)
}

// write makes things by the SDK, changes each by what it was answered with, and assigns what can be
// assigned. It returns their ids by their collections.
func (o *outside) write(all []entry) map[string][]string {
	o.Helper()
	named, made := make(map[string]string), make(map[string][]string)
	for _, e := range all {
		text := string(e.Body)
		for name, id := range named {
			text = strings.ReplaceAll(text, "{"+name+"}", id)
		}
		path := strings.TrimPrefix(e.Path, "/beta/")
		set := path[strings.LastIndexByte(path, '/')+1:]
		b, err := o.at(path)
		if err != nil {
			o.Fatal(err)
		}
		answer, err := b.send(o.Context(), "Post", o.written([]byte(text), makers[set]))
		if err != nil {
			o.Errorf("making %.120s: %s", text, reason(err))
			continue
		}
		id := o.compare(path+" made", answer)
		named[e.Name] = id
		made[path] = append(made[path], id)
		b, _ = o.at(path + "/" + id)
		if set == "configurationPolicies" { // their settings cannot be changed so, as in Graph
			answer = o.parse([]byte(`{"description":"changed"}`), makers[set])
		}
		if answer, err = b.send(o.Context(), "Patch", answer); err != nil {
			o.Errorf("changing %.120s by what it was answered with: %s", text, reason(err))
		} else if answer != nil {
			o.compare(path+" changed", answer)
		}
		if assigners[set] != nil {
			o.assign(path+"/"+id, assigners[set])
		}
	}
	return made
}

// assign assigns a payload to a group that has no devices.
func (o *outside) assign(path string, as serialization.ParsableFactory) {
	o.Helper()
	text := `{"intent":"required","target":{"@odata.type":"#microsoft.graph.groupAssignmentTarget",
		"groupId":"` + o.group() + `"}}`
	if !strings.Contains(path, "/mobileApps/") {
		text = strings.Replace(text, `"intent":"required",`, "", 1)
	}
	b, err := o.at(path + "/assignments")
	if err != nil {
		o.Fatal(err)
	}
	answer, err := b.send(o.Context(), "Post", o.parse([]byte(text), as))
	if err != nil {
		o.Errorf("assigning %s: %s", path, reason(err))
		return
	}
	o.compare(path+" assigned", answer)
}

// group is the id of a group.
func (o *outside) group() string {
	o.Helper()
	if ids := o.lists["groups"]; len(ids) > 0 {
		return ids[0]
	}
	o.post(o.T, "/beta/groups", map[string]any{"displayName": "Outside", "mailEnabled": false,
		"mailNickname": "outside", "securityEnabled": true})
	made, _ := o.heard.raw().(map[string]any)
	o.lists["groups"] = []string{made["id"].(string)}
	return o.lists["groups"][0]
}

// act takes a payload off every device, so that there are results to read.
func (o *outside) act() {
	o.Helper()
	for _, d := range o.Devices {
		if len(d.Payloads) == 0 {
			continue
		}
		o.post(o.T, "/beta/deviceManagement/managedDevices/"+d.ID+"/changeAssignments",
			map[string]any{"deviceAssignmentItems": []any{map[string]any{
				"itemId": d.Payloads[0].ID, "itemType": d.Payloads[0].Type}}})
	}
}

// compare holds what the SDK made of the last answer against the answer, and returns its id.
func (o *outside) compare(at string, typed any) string {
	o.Helper()
	raw, ok := o.heard.raw().(map[string]any)
	if !ok {
		return ""
	}
	object, ok := typed.(serialization.Parsable)
	if !ok {
		o.Errorf("%s was read as %T", at, typed)
		return ""
	}
	o.seen.report = o.Errorf
	o.seen.object(at, raw, object)
	id, _ := raw["id"].(string)
	return id
}
