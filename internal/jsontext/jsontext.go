// Package jsontext appends values to a JSON text, byte for byte as encoding/json writes them, for
// what is written so often that the time encoding/json takes is felt.
package jsontext

import (
	"encoding/json"
	"time"
)

// AppendString appends a string.
func AppendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' ||
			c == '&' {
			text, _ := json.Marshal(s) // no string is an error
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// AppendTime appends a time. The year must have four digits.
func AppendTime(b []byte, t time.Time) ([]byte, error) {
	text, err := t.AppendText(append(b, '"'))
	if err != nil {
		return b, err
	}
	return append(text, '"'), nil
}
