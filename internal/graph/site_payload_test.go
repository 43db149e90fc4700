package graph_test

import (
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

func toAllDevices(parameter string) object {
	assignment := object{"target": object{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}
	if parameter == "mobileAppAssignments" {
		assignment["intent"] = "required"
	}
	return object{parameter: []object{assignment}}
}

// addProfile puts a Wi-Fi profile into the catalog and assigns it to all devices.
func (s *site) addProfile(name string) string {
	s.t.Helper()
	a := s.must(http.StatusCreated, "POST", configurations,
		object{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
			"displayName": name, "payloadFileName": name + ".mobileconfig",
			"payload": profile("com.example." + name)})
	id := a.body["id"].(string)
	s.must(http.StatusOK, "POST", configurations+"/"+id+"/assign", toAllDevices("assignments"))
	return id
}

// addApp puts an app into the catalog and assigns it to all devices.
func (s *site) addApp(name string) string {
	s.t.Helper()
	a := s.must(http.StatusCreated, "POST", apps,
		object{"@odata.type": "#microsoft.graph.iosVppApp", "displayName": name,
			"bundleId":    "com.example." + name,
			"appStoreUrl": "https://apps.apple.com/us/app/name/id361309726"})
	id := a.body["id"].(string)
	s.must(http.StatusNoContent, "POST", apps+"/"+id+"/assign",
		toAllDevices("mobileAppAssignments"))
	return id
}

func profile(identifier string) string {
	text := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%s</string><key>PayloadUUID</key><string>%s</string>
<key>PayloadContent</key><array><dict>
<key>PayloadType</key><string>com.apple.wifi.managed</string><key>PayloadVersion</key><integer>1</integer>
<key>PayloadIdentifier</key><string>%[1]s.wifi</string><key>PayloadUUID</key><string>%s</string>
<key>SSID_STR</key><string>Campus</string><key>EncryptionType</key><string>None</string>
</dict></array></dict></plist>`, identifier, uuid.NewString(), uuid.NewString())
	return base64.StdEncoding.EncodeToString([]byte(text))
}
