package payload

import (
	"encoding/json"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// ParseAppConfiguration reads an app's configuration out of properties without a store.
func ParseAppConfiguration(raw json.RawMessage) (propertylist.Dictionary, error) {
	props, err := catalog.ParseProperties(raw)
	if err != nil {
		return nil, err
	}
	return readConfiguration(props)
}
