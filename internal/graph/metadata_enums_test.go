package graph

import (
	"encoding/xml"
	"maps"
	"net/http/httptest"
	"testing"
)

func TestEnumerationsInMetadata(t *testing.T) {
	answer := httptest.NewRecorder()
	New(Config{}).ServeHTTP(answer, httptest.NewRequest("GET", "/beta/$metadata", nil))
	var document struct {
		Enums []struct {
			Name    string `xml:",attr"`
			Members []struct {
				Name  string `xml:",attr"`
				Value int    `xml:",attr"`
			} `xml:"Member"`
		} `xml:"DataServices>Schema>EnumType"`
	}
	if err := xml.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]map[string]int{"actionState": actionState,
		"deviceActionPayloadType":    deviceActionPayloadType,
		"deviceActionPayloadIntent":  deviceActionPayloadIntent,
		"deviceActionPayloadStatus":  deviceActionPayloadStatus,
		"deviceAssignmentItemType":   deviceAssignmentItemType,
		"deviceAssignmentItemIntent": deviceActionPayloadIntent,
		"deviceAssignmentItemStatus": deviceAssignmentItemStatus} {
		got := make(map[string]int)
		for _, shown := range document.Enums {
			if shown.Name == name {
				for _, member := range shown.Members {
					got[member.Name] = member.Value
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
