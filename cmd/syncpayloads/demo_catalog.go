package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/micromdm/plist"
)

// The demonstration's catalog.
const (
	officeWiFi     = "Office Wi-Fi"
	companyVPN     = "Company VPN"
	keynote        = "Keynote"
	inventoryAgent = "com.example.inventory-agent"
	profilePrefix  = "com.example.demo."
)

// demoStore is the app store of the simulated devices.
var demoStore = map[int64]string{361285480: "com.apple.Keynote", 361309726: "com.apple.Pages"}

// demoItem is a policy or app as the Graph API takes it, and how devices know it.
type demoItem struct {
	collection string
	identifier string
	// for iPhones and iPads only, by a group; otherwise for all devices of the platform
	portable bool
	body     map[string]any
}

const (
	configurations = "/beta/deviceManagement/deviceConfigurations"
	apps           = "/beta/deviceAppManagement/mobileApps"
)

func demoCatalog(manifestURL string) []demoItem {
	wifi := map[string]any{"SSID_STR": "Example Office", "HIDDEN_NETWORK": false, "AutoJoin": true,
		"EncryptionType": "WPA2",
		"Password":       "correct horse battery staple"}
	vpn := map[string]any{"UserDefinedName": "Example VPN", "VPNType": "IKEv2",
		"IKEv2": map[string]any{
			"RemoteAddress": "vpn.example.com", "RemoteIdentifier": "vpn.example.com",
			"LocalIdentifier":      "staff",
			"AuthenticationMethod": "SharedSecret", "SharedSecret": "not a secret"}}
	mail := map[string]any{"Host": "outlook.office365.com", "EmailAddress": "staff@example.com",
		"UserName": "staff@example.com",
		"SSL":      true, "OAuth": true, "MailNumberOfPastDaysToSync": 7}
	restrictions := map[string]any{"allowCamera": true, "allowScreenShot": false,
		"allowAirDrop": false}
	firewall := map[string]any{"EnableFirewall": true, "EnableStealthMode": true}
	return append([]demoItem{
		profileItem("iosCustomConfiguration", officeWiFi, "wifi", "com.apple.wifi.managed", wifi),
		portable(profileItem("iosCustomConfiguration", companyVPN, "vpn", "com.apple.vpn.managed",
			vpn)),
		portable(profileItem("iosCustomConfiguration", "Work email", "email",
			"com.apple.eas.account", mail)),
		profileItem("iosCustomConfiguration", "Exam restrictions", "restrictions",
			"com.apple.applicationaccess", restrictions),
		storeItem("iosStoreApp", "Pages", "com.apple.Pages", 361309726),
		storeItem("iosVppApp", keynote, "com.apple.Keynote", 361285480),
		profileItem("macOSCustomConfiguration", "Mac firewall", "firewall",
			"com.apple.security.firewall", firewall),
		{collection: apps, identifier: inventoryAgent, body: map[string]any{
			"@odata.type": "#microsoft.graph.macOSPkgApp", "displayName": "Inventory Agent",
			"publisher":       "Example",
			"primaryBundleId": inventoryAgent, "primaryBundleVersion": "2.4.1",
			"manifestUrl": manifestURL}},
	}, androidItems()...)
}

func portable(i demoItem) demoItem {
	i.portable = true
	return i
}

// profileItem is a policy whose file is a real .mobileconfig with one payload.
func profileItem(odataType, name, id, payloadType string, settings map[string]any) demoItem {
	identifier := profilePrefix + id
	payload := map[string]any{"PayloadType": payloadType, "PayloadVersion": 1,
		"PayloadIdentifier": identifier + ".settings",
		"PayloadUUID":       demoUUID(identifier + ".settings"), "PayloadDisplayName": name}
	for key, value := range settings {
		payload[key] = value
	}
	file, err := plist.MarshalIndent(map[string]any{"PayloadType": "Configuration",
		"PayloadVersion":    1,
		"PayloadIdentifier": identifier, "PayloadUUID": demoUUID(identifier),
		"PayloadDisplayName":  name,
		"PayloadOrganization": "Example", "PayloadContent": []any{payload}}, "\t")
	if err != nil {
		panic("demo: a profile of constants does not marshal: " + err.Error())
	}
	return demoItem{collection: configurations, identifier: identifier, body: map[string]any{
		"@odata.type": "#microsoft.graph." + odataType, "displayName": name, "payloadName": name,
		"payloadFileName": id + ".mobileconfig", "payload": file}}
}

func demoUUID(name string) string {
	return strings.ToUpper(uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String())
}

func storeItem(odataType, name, bundleID string, storeID int64) demoItem {
	return demoItem{collection: apps, identifier: bundleID, body: map[string]any{
		"@odata.type": "#microsoft.graph." + odataType, "displayName": name, "publisher": "Apple",
		"bundleId": bundleID,
		"appStoreUrl": fmt.Sprintf("https://apps.apple.com/us/app/%s/id%d",
			strings.ToLower(name), storeID),
		"applicableDeviceType": map[string]any{"iPad": true, "iPhoneAndIPod": true}}}
}

type named struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// find looks for an object of an earlier run on the same database.
func (d *demo) find(ctx context.Context, collection, name string) (id string, err error) {
	var list struct {
		Value []named `json:"value"`
	}
	if err := d.client.Do(ctx, http.MethodGet, collection+"?$top=1000&$select=id,displayName", nil,
		&list); err != nil {
		return "", err
	}
	if i := slices.IndexFunc(list.Value,
		func(n named) bool { return n.DisplayName == name }); i >= 0 {
		return list.Value[i].ID, nil
	}
	return "", nil
}

// ensure creates an object unless there is one of its name.
func (d *demo) ensure(ctx context.Context, collection string,
	body map[string]any) (id string, created bool, err error) {
	if id, err = d.find(ctx, collection, body["displayName"].(string)); err != nil || id != "" {
		return id, false, err
	}
	var made named
	err = d.client.Do(ctx, http.MethodPost, collection, body, &made)
	return made.ID, true, err
}

func (d *demo) addToCatalog(ctx context.Context, items []demoItem) error {
	group, err := d.portableGroup(ctx)
	if err != nil {
		return err
	}
	for _, item := range items {
		id, created, err := d.ensure(ctx, item.collection, item.body)
		if err == nil && !created { // the manifest has another address in every run
			err = d.client.Do(ctx, http.MethodPatch, item.collection+"/"+id, item.body, nil)
		}
		if err != nil {
			return fmt.Errorf("adding %q: %w", item.body["displayName"], err)
		}
		target := map[string]any{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}
		if item.portable {
			target = map[string]any{"@odata.type": "#microsoft.graph.groupAssignmentTarget",
				"groupId": group}
		}
		body := map[string]any{"assignments": []any{map[string]any{"target": target}}}
		if item.collection == apps {
			body = map[string]any{"mobileAppAssignments": []any{map[string]any{"intent": "required",
				"target": target}}}
		}
		if err := d.client.Do(ctx, http.MethodPost, item.collection+"/"+id+"/assign", body,
			nil); err != nil {
			return fmt.Errorf("assigning %q: %w", item.body["displayName"], err)
		}
	}
	return nil
}

// portableGroup makes the group of iPhones and iPads.
func (d *demo) portableGroup(ctx context.Context) (id string, err error) {
	id, _, err = d.ensure(ctx, "/beta/groups",
		map[string]any{"displayName": "iPhones and iPads", "mailEnabled": false,
			"mailNickname": "portable", "securityEnabled": true})
	if err != nil {
		return "", err
	}
	for _, device := range d.fleet.devices {
		if device.platform != "iOS" && device.platform != "iPadOS" {
			continue
		}
		reference := map[string]any{"@odata.id": d.server.URL() +
			"/beta/deviceManagement/managedDevices/" + device.id}
		if err := d.client.Do(ctx, http.MethodPost, "/beta/groups/"+id+"/members/$ref", reference,
			nil); err != nil {
			return "", fmt.Errorf("adding %s to the group: %w", device.name, err)
		}
	}
	return id, nil
}
