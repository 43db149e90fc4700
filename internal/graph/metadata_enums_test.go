package graph

import (
	"maps"
	"testing"
)

func TestEnumerationsInMetadata(t *testing.T) {
	for name, want := range map[string]map[string]int{"actionState": actionState, "deviceActionPayloadType": deviceActionPayloadType,
		"deviceActionPayloadIntent": deviceActionPayloadIntent, "deviceActionPayloadStatus": deviceActionPayloadStatus,
		"deviceAssignmentItemType": deviceAssignmentItemType, "deviceAssignmentItemIntent": deviceActionPayloadIntent,
		"deviceAssignmentItemStatus": deviceAssignmentItemStatus} {
		got := make(map[string]int)
		for _, shown := range document(newGraphSchema(appleForms), new(model)).Schemas[0].Enums {
			if shown.Name == name {
				for _, member := range shown.Members {
					got[member.Name] = int(member.Value)
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
