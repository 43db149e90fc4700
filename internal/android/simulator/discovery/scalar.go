package discovery

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"time"
)

var duration = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?s$`)

// checkScalar returns what is wrong with a value that is no object or list; "" is nothing.
func (s *Schema) checkScalar(value any) string {
	switch s.Type {
	case "boolean":
		if _, isBool := value.(bool); !isBool {
			return "is no boolean"
		}
	case "integer", "number":
		number, isNumber := value.(json.Number)
		if !isNumber {
			return "is no number"
		}
		if _, err := strconv.ParseInt(number.String(), 10, 32); s.Type == "integer" && err != nil {
			return "is no 32-bit number"
		}
	case "string":
		text, isText := value.(string)
		if !isText {
			return "is no text"
		}
		return s.checkText(text)
	default:
		return "has the unknown type " + s.Type
	}
	return ""
}

func (s *Schema) checkText(text string) string {
	var err error
	switch {
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, text):
		return "is no member of the enum"
	case s.Format == "int64":
		_, err = strconv.ParseInt(text, 10, 64)
	case s.Format == "google-datetime":
		_, err = time.Parse(time.RFC3339Nano, text)
	case s.Format == "byte":
		_, err = base64.StdEncoding.DecodeString(text)
	case s.Format == "google-duration" && !duration.MatchString(text):
		return "is no duration"
	}
	if err != nil {
		return "has not the format " + s.Format
	}
	return ""
}
