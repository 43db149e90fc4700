package payload

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// CompilePolicy makes a policy of properties without a store.
func CompilePolicy(id action.PayloadID, raw json.RawMessage) (*catalog.Payload, error) {
	n := 0
	ids := func() string {
		n++
		if n == 1 {
			return string(id)
		}
		return "token-" + strconv.Itoa(n-1)
	}
	return catalog.New(memory{}, catalog.MustForms(Forms()), time.Now,
		ids).Create(context.Background(),
		catalog.Input{ODataType: SettingsCatalogPolicy, DisplayName: "policy", Properties: raw})
}

// memory is a store that keeps nothing.
type memory struct {
	catalog.Store
	catalog.Tx
}

func (m memory) UpdateCatalog(_ context.Context, fn func(catalog.Tx) error) error { return fn(m) }

func (memory) InsertPayload(context.Context, *catalog.Payload) error { return nil }

func (memory) TagExists(context.Context, string) (bool, error) { return true, nil }

// ReadSettingTable reads a table of settings.
func ReadSettingTable(text string) error {
	_, err := readSettingTable(text)
	return err
}

// KeyPath are the keys under which the value is in the dictionary of what holds the setting.
func (s *Setting) KeyPath() []string { return append(slices.Clone(s.path), s.Key) }

// Kept reports whether the setting is kept and given back alone: no profile has it.
func (s *Setting) Kept() bool { return s.kept }

// HoldsDictionaries reports whether the setting is an array of dictionaries.
func (s *Setting) HoldsDictionaries() bool { return s.grouping == someDictionaries }
