package catalog

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// CompilePolicy makes a policy of properties without a store.
func CompilePolicy(id action.PayloadID, raw json.RawMessage) (*Payload, error) {
	props, err := parseProperties(raw)
	if err != nil {
		return nil, err
	}
	n := 0
	c := &Catalog{newID: func() string { n++; return "token-" + strconv.Itoa(n) }}
	p := &Payload{ID: id, Type: action.ConfigurationPolicy, ODataType: SettingsCatalogPolicy, Version: 1}
	if props, err = c.hideSecrets(p.Type, props, nil); err != nil {
		return nil, err
	}
	return p, p.fill(context.Background(), nil, props, true)
}

// ReadSettingTable reads a table of settings.
func ReadSettingTable(text string) error {
	_, err := readSettingTable(text)
	return err
}
