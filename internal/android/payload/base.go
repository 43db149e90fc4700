package payload

import "encoding/json"

// basePolicy is in every document, whatever is assigned: without it devices report no apps, and
// nothing could be seen to be there or gone.
func basePolicy() map[string]any {
	return map[string]any{
		"statusReportingSettings": map[string]any{
			"applicationReportsEnabled":    true,
			"applicationReportingSettings": map[string]any{"includeRemovedApps": true},
			"deviceSettingsEnabled":        true,
			"memoryInfoEnabled":            true,
			"networkInfoEnabled":           true,
			"softwareInfoEnabled":          true,
		},
	}
}

// StartPolicy is the policy of enrollment tokens, which a device has until its own one is made:
// devices report, and what set-up installed stays. It is canonical JSON.
func StartPolicy() []byte {
	policy := basePolicy()
	policy["playStoreMode"] = "BLACKLIST" // the other one uninstalls what no policy names
	return canonicalJSON(policy)
}

// canonicalJSON is a value as JSON with sorted keys and without spaces. Values that were read from
// JSON always marshal.
func canonicalJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("payload: " + err.Error())
	}
	return text
}
