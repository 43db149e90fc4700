package propertylist

import (
	"bytes"
	"encoding/json"

	"github.com/micromdm/plist"
)

// Dictionary is a property list's dictionary. In JSON it is the XML property list as a string,
// because JSON itself has no data, no dates, and one kind of number.
type Dictionary map[string]any

// MarshalJSON implements json.Marshaler.
func (d Dictionary) MarshalJSON() ([]byte, error) {
	if d == nil {
		return []byte("null"), nil
	}
	b, err := plist.Marshal(map[string]any(d))
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(b))
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Dictionary) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*d = nil
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	dict, err := Decode([]byte(text))
	*d = dict
	return err
}
