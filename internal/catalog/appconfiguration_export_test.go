package catalog

import "encoding/json"

// ParseAppConfiguration reads an app's configuration out of properties without a store.
func ParseAppConfiguration(raw json.RawMessage) (Dictionary, error) {
	props, err := parseProperties(raw)
	if err != nil {
		return nil, err
	}
	return props.appConfiguration()
}
