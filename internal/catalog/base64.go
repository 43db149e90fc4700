package catalog

import (
	"encoding/base64"
	"errors"
	"strings"
)

var errNotBase64 = errors.New("is not base64")

// base64Letters makes of either alphabet of base64 (RFC 4648, sections 4 and 5) the first one,
// without what breaks lines.
var base64Letters = strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "")

// DecodeBase64 takes base64 of both alphabets, padded or not, in one line or many, as PEM and MIME
// have it and as what writes files ends it.
func DecodeBase64(text string) ([]byte, error) {
	data,
		err := base64.RawStdEncoding.DecodeString(strings.TrimRight(base64Letters.Replace(strings.TrimSpace(text)), "="))
	if err != nil {
		return nil, errNotBase64
	}
	return data, nil
}
