package graph

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// The enumerations of the written source, every member with its number. A member of a later name
// that the records do not tell apart from another is marked so in TestEnumerations.
var (
	actionState = map[string]int{"none": 0, "pending": 1, "canceled": 2, "active": 3, "done": 4,
		"failed": 5, "notSupported": 6}

	deviceActionPayloadType = map[string]int{"application": 0, "deviceConfiguration": 1,
		"deviceManagementConfigurationPolicy": 2,
		"unknownFutureValue":                  3}
	deviceActionPayloadIntent = map[string]int{"remove": 0, "restore": 1, "unknownFutureValue": 2}
	deviceActionPayloadStatus = map[string]int{"inProgress": 0, "removed": 1, "error": 2,
		"succeeded": 3, "unknownFutureValue": 4}

	deviceAssignmentItemType = map[string]int{"application": 0, "deviceConfiguration": 1,
		"deviceManagementConfigurationPolicy": 2,
		"mobileAppConfiguration":              3, "unknownFutureValue": 4}
	deviceAssignmentItemStatus = map[string]int{"initiated": 0, "inProgress": 1, "removed": 2,
		"error": 3, "succeeded": 4,
		"unknownFutureValue": 5}
)

// shown is what one result is served as, under one name of the action.
func shown(t *testing.T, a action.Action, r action.Result) (result, element map[string]any) {
	t.Helper()
	a.Results = []action.Result{r}
	text, err := json.Marshal(actionResults([]*action.Action{&a}, nil))
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	for _, collection := range []string{"deviceActionPayloads", "deviceAssignmentItems"} {
		if elements, ok := list[0][collection].([]any); ok {
			element = elements[0].(map[string]any)
		}
	}
	return list[0], element
}

func TestEnumerations(t *testing.T) {
	const inSync, inChange = action.SyncPayloads, action.ChangeAssignments
	number := func(enumeration map[string]int, served any) int {
		n, ok := enumeration[served.(string)]
		if !ok {
			t.Errorf("%v is no member of the enumeration", served)
		}
		return n
	}
	for state := action.None; state <= action.NotSupported; state++ {
		result, _ := shown(t, action.Action{State: state}, action.Result{})
		if n := number(actionState, result["actionState"]); n != int(state) {
			t.Errorf("actionState %v is number %d, served for %d", result["actionState"], n, state)
		}
	}
	for kind := action.Application; kind <= action.AppConfiguration; kind++ {
		_, sync := shown(t, action.Action{Name: inSync}, action.Result{Type: kind})
		_, change := shown(t, action.Action{Name: inChange}, action.Result{Type: kind})
		// mobileAppConfiguration, 3 of the later name, is unknownFutureValue, 3 of the first.
		if n := number(deviceActionPayloadType, sync["payloadType"]); n != int(kind) {
			t.Errorf("payloadType %v is number %d, served for %d", sync["payloadType"], n, kind)
		}
		if n := number(deviceAssignmentItemType, change["itemType"]); n != int(kind) {
			t.Errorf("itemType %v is number %d, served for %d", change["itemType"], n, kind)
		}
	}
	for intent := action.Remove; intent <= action.Restore; intent++ {
		_, sync := shown(t, action.Action{Name: inSync}, action.Result{Intent: intent})
		_, change := shown(t, action.Action{Name: inChange}, action.Result{Intent: intent})
		for _, served := range []any{sync["intent"], change["assignmentItemActionIntent"]} {
			if n := number(deviceActionPayloadIntent, served); n != int(intent) {
				t.Errorf("intent %v is number %d, served for %d", served, n, intent)
			}
		}
	}
	for status := action.Initiated; status <= action.Succeeded; status++ {
		_, sync := shown(t, action.Action{Name: inSync}, action.Result{Status: status})
		_, change := shown(t, action.Action{Name: inChange}, action.Result{Status: status})
		// initiated, 0 of the later name, is inProgress, 0 of the first; all others are one less.
		if n := number(deviceActionPayloadStatus, sync["status"]); n != max(0, int(status)-1) {
			t.Errorf("status %v is number %d, served for %d", sync["status"], n, status)
		}
		if n := number(deviceAssignmentItemStatus,
			change["assignmentItemActionStatus"]); n != int(status) {
			t.Errorf("status %v is number %d, served for %d", change["assignmentItemActionStatus"],
				n, status)
		}
	}
}

func TestLongestTexts(t *testing.T) {
	long := make([]rune, 2000)
	for i := range long {
		long[i] = '語'
	}
	_, item := shown(t, action.Action{Name: action.ChangeAssignments},
		action.Result{DisplayName: string(long), SubType: string(long), Detail: string(long)})
	for name, most := range map[string]int{"itemDisplayName": 200, "itemSubTypeDisplayName": 200,
		"intentActionMessage": 1500} {
		if n := len([]rune(item[name].(string))); n != most {
			t.Errorf("%s has %d characters, want %d", name, n, most)
		}
	}
	_, payload := shown(t, action.Action{Name: action.SyncPayloads},
		action.Result{Detail: string(long)})
	if payload["detail"] != string(long) {
		t.Error("detail is cut; the written source does not limit it")
	}
}

func TestEmptyTextsAreNull(t *testing.T) {
	_, payload := shown(t, action.Action{Name: action.SyncPayloads},
		action.Result{LastModified: time.Unix(0, 0)})
	_, item := shown(t, action.Action{Name: action.ChangeAssignments}, action.Result{})
	for _, tt := range []struct {
		of   map[string]any
		name string
	}{{payload, "displayName"}, {payload, "detail"}, {item, "itemDisplayName"},
		{item, "itemSubTypeDisplayName"},
		{item, "intentActionMessage"}} {
		if v, ok := tt.of[tt.name]; !ok || v != nil {
			t.Errorf("%s is %v, want null", tt.name, v)
		}
	}
}

func TestErrorCodeIsANumber(t *testing.T) {
	for _, code := range []int64{0, -1, 12024} {
		for _, name := range []action.Name{action.SyncPayloads, action.ChangeAssignments} {
			_, element := shown(t, action.Action{Name: name}, action.Result{Code: code})
			if element["errorCode"] != float64(code) {
				t.Errorf("%s: errorCode is %#v, want %d", name, element["errorCode"], code)
			}
		}
	}
}
