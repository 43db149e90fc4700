package tolerant

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// readScalar reads the text of an element as CoreFoundation's reader does (CFPropertyList.c):
// integers are decimal or hexadecimal and may have a sign, and what is no base64 in data is passed
// over.
func readScalar(name, text string) any {
	switch name {
	case "string":
		return clean(unescape(text))
	case "integer":
		return readInteger(strings.TrimSpace(unescape(text)))
	case "real":
		n, err := strconv.ParseFloat(strings.TrimSpace(unescape(text)), 64)
		if err != nil {
			return Odd{"a real that is no number"}
		}
		return n
	case "data":
		return readData(text)
	case "date":
		at, err := time.Parse(time.RFC3339, strings.TrimSpace(unescape(text)))
		if err != nil {
			return Odd{"a date that is none"}
		}
		return at
	case "true":
		return true
	case "false":
		return false
	}
	return Odd{"an element that property lists do not have"}
}

func readInteger(text string) any {
	digits, negative := strings.CutPrefix(text, "-")
	if !negative {
		digits = strings.TrimPrefix(digits, "+")
	}
	base := 10
	if strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X") {
		digits, base = digits[2:], 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	switch {
	case text == "":
		return Odd{"an empty integer"}
	case err != nil:
		return Odd{"an integer that is none, or out of range"}
	case !negative || n == 0:
		return n
	case n > -math.MinInt64:
		return Odd{"an integer that is out of range"}
	}
	return -int64(n)
}

func readData(text string) []byte {
	kept := make([]byte, 0, len(text))
	for i := range len(text) {
		c := text[i]
		if c == '=' {
			break
		}
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' ||
			c == '/' {
			kept = append(kept, c)
		}
	}
	if len(kept)%4 == 1 { // six bits are no byte
		kept = kept[:len(kept)-1]
	}
	data := make([]byte, base64.RawStdEncoding.DecodedLen(len(kept)))
	n, _ := base64.RawStdEncoding.Decode(data, kept) // nothing else than its alphabet is left
	return data[:n]
}

var entities = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}

// unescape is the text that an element's content stands for. An entity that XML itself does not
// know stays as it is.
func unescape(content string) string {
	if strings.IndexByte(content, '&') < 0 && strings.IndexByte(content, '<') < 0 &&
		strings.IndexByte(content, '\r') < 0 {
		return content
	}
	var text strings.Builder
	text.Grow(len(content))
	for content != "" {
		i := strings.IndexAny(content, "&<\r")
		if i < 0 {
			text.WriteString(content)
			break
		}
		text.WriteString(content[:i])
		content = unescapeOne(&text, content[i:])
	}
	return text.String()
}

// unescapeOne writes what stands at the start of content and returns what follows it.
func unescapeOne(text *strings.Builder, content string) string {
	if content[0] == '\r' { // XML 1.0, section 2.11
		text.WriteByte('\n')
		return strings.TrimPrefix(content[1:], "\n")
	}
	if inside, ok := strings.CutPrefix(content, "<![CDATA["); ok {
		inside, rest, _ := strings.Cut(inside, "]]>")
		text.WriteString(inside)
		return rest
	}
	if inside, ok := strings.CutPrefix(content, "<!--"); ok {
		_, rest, _ := strings.Cut(inside, "-->")
		return rest
	}
	if name, _, ok := strings.Cut(content[1:min(len(content), 16)], ";"); ok && content[0] == '&' {
		rest := content[len(name)+2:]
		if plain, known := entities[name]; known {
			text.WriteString(plain)
			return rest
		}
		if number, isNumber := strings.CutPrefix(name, "#"); isNumber {
			text.WriteRune(character(number))
			return rest
		}
	}
	text.WriteByte(content[0])
	return content[1:]
}

func character(number string) rune {
	base := 10
	if hex, ok := strings.CutPrefix(number, "x"); ok {
		number, base = hex, 16
	}
	n, err := strconv.ParseUint(number, base, 32)
	if err != nil || !allowed(rune(n)) || n > utf8.MaxRune {
		return utf8.RuneError
	}
	return rune(n)
}
