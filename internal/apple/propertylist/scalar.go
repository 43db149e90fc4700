package propertylist

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// scalar reads a number, a date or data.
func (r *xmlReader) scalar(t tag) (v any, err error) {
	if t.name == "real" {
		text, err := r.textOf(t)
		if err != nil {
			return nil, err
		}
		return r.real(t, text)
	}
	n := bytes.IndexByte(r.text[r.i:], '<')
	if n < 0 {
		return nil, r.tooShort()
	}
	text := string(r.text[r.i : r.i+n])
	switch t.name {
	case "integer":
		v, err = r.integer(t, text)
	case "date":
		v, err = r.date(t, text)
	default:
		v, err = r.data(t, text)
	}
	if err != nil {
		return nil, err
	}
	r.i += n
	return v, r.close(t)
}

// integer reads [-+]digits or [-+]0xdigits; white space may stand before the sign and behind it.
// What fits into 64 bits, signed or not, is possible.
func (r *xmlReader) integer(t tag, text string) (any, error) {
	digits := strings.TrimSpace(text)
	negative := strings.HasPrefix(digits, "-")
	if negative || strings.HasPrefix(digits, "+") {
		digits = strings.TrimSpace(digits[1:])
	}
	base := 10
	if len(digits) > 2 && (digits[:2] == "0x" || digits[:2] == "0X") {
		digits, base = digits[2:], 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil || strings.HasPrefix(digits, "+") || negative && n > 1<<63 {
		return nil, r.fail(t.start, "%q is not an integer of at most 64 bits", clipped(text))
	}
	if negative && n > 0 {
		return -int64(n), nil
	}
	return n, nil
}

var (
	decimal   = regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
	notFinite = map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "+inf": math.Inf(1),
		"-inf":     math.Inf(-1),
		"infinity": math.Inf(1), "+infinity": math.Inf(1), "-infinity": math.Inf(-1)}
)

func (r *xmlReader) real(t tag, text string) (any, error) {
	trimmed := strings.TrimSpace(text)
	if f, ok := notFinite[strings.ToLower(trimmed)]; ok {
		return f, nil
	}
	if len(trimmed) > 400 || !decimal.MatchString(trimmed) {
		return nil, r.fail(t.start, "%q is not a real number", clipped(text))
	}
	f, _ := strconv.ParseFloat(trimmed, 64) // out of range it is infinite, as on a device
	return f, nil
}

var dateForm = regexp.MustCompile(`^([0-9]{1,4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z$`)

func (r *xmlReader) date(t tag, text string) (any, error) {
	m := dateForm.FindStringSubmatch(text)
	var part [7]int
	for i := 1; i < len(m); i++ {
		part[i], _ = strconv.Atoi(m[i]) // digits
	}
	if m == nil || part[1] < 1 || part[2] < 1 || part[2] > 12 || part[3] < 1 || part[3] > 31 ||
		part[4] > 23 || part[5] > 59 || part[6] > 59 {
		return nil, r.fail(t.start, "%q is not a date such as 2026-01-31T09:30:00Z", clipped(text))
	}
	return time.Date(part[1], time.Month(part[2]), part[3], part[4], part[5], part[6], 0, time.UTC),
		nil
}

// data reads base64. As on a device, white space and other characters of ASCII do not count, nor do
// bits that are left over.
func (r *xmlReader) data(t tag, text string) (any, error) {
	data := make([]byte, 0, len(text)/4*3)
	var bits, pads uint32
	n := 0
	for i := range len(text) {
		c := text[i]
		if c >= 0x80 {
			return nil, r.fail(t.start, "the data is not base64")
		}
		v, ok := sextet(c)
		if c == '=' {
			pads++
		} else if !isBlank(c) && c != '\v' && c != '\f' {
			pads = 0
		}
		if !ok {
			continue
		}
		bits = bits<<6 | v
		if n++; n%4 != 0 {
			continue
		}
		data = append(data, byte(bits>>16))
		if pads < 2 {
			data = append(data, byte(bits>>8))
		}
		if pads < 1 {
			data = append(data, byte(bits))
		}
	}
	return data, nil
}

// sextet is the value of a character of base64 (RFC 4648, section 4); that of padding is 0.
func sextet(c byte) (uint32, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return uint32(c - 'A'), true
	case c >= 'a' && c <= 'z':
		return uint32(c-'a') + 26, true
	case c >= '0' && c <= '9':
		return uint32(c-'0') + 52, true
	case c == '+':
		return 62, true
	case c == '/':
		return 63, true
	case c == '=':
		return 0, true
	default:
		return 0, false
	}
}
