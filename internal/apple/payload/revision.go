package payload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// ConfigurationRevision tells versions of an app's configuration apart: equal dictionaries have
// equal revisions, on whichever side they were decoded from a property list. Numbers are compared
// by value, dates by the second.
func ConfigurationRevision(configuration map[string]any) string {
	h := sha256.New()
	canonical(h, reflect.ValueOf(configuration))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// canonical writes v so that different values never write the same: each part has its type and its
// length or a terminator.
func canonical(w io.Writer, v reflect.Value) {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if !v.IsValid() {
		_, _ = io.WriteString(w, "n;") // a hash never fails to write, here and below
		return
	}
	if t, ok := v.Interface().(time.Time); ok {
		_, _ = fmt.Fprintf(w, "t%d;", t.Unix())
		return
	}
	switch v.Kind() {
	case reflect.String:
		_, _ = fmt.Fprintf(w, "s%d:%s", v.Len(), v.String())
	case reflect.Bool:
		_, _ = fmt.Fprintf(w, "b%t;", v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		_, _ = fmt.Fprintf(w, "i%d;", v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Uintptr:
		// A reader of binary lists may give a negative integer as the unsigned one of the same
		// bits.
		_, _ = fmt.Fprintf(w, "i%d;", int64(v.Uint()))
	case reflect.Float32, reflect.Float64:
		_, _ = io.WriteString(w, canonicalReal(v.Float()))
	case reflect.Slice, reflect.Array:
		canonicalList(w, v)
	case reflect.Map:
		canonicalMap(w, v)
	default:
		_, _ = fmt.Fprintf(w, "?%s;", v.Type())
	}
}

func canonicalReal(f float64) string {
	const exact = 1 << 53 // beyond it a float64 has no units digit
	if f == math.Trunc(f) && math.Abs(f) <= exact {
		return "i" + strconv.FormatInt(int64(f), 10) + ";"
	}
	return "r" + strconv.FormatFloat(f, 'g', -1, 64) + ";"
}

func canonicalList(w io.Writer, v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		_, _ = fmt.Fprintf(w, "d%d:", v.Len())
		for i := range v.Len() {
			_, _ = w.Write([]byte{byte(v.Index(i).Uint())})
		}
		return
	}
	_, _ = fmt.Fprintf(w, "a%d:", v.Len())
	for i := range v.Len() {
		canonical(w, v.Index(i))
	}
}

func canonicalMap(w io.Writer, v reflect.Value) {
	entries := make(map[string]reflect.Value, v.Len())
	for _, k := range v.MapKeys() {
		entries[fmt.Sprint(k.Interface())] = v.MapIndex(k)
	}
	_, _ = fmt.Fprintf(w, "m%d:", len(entries))
	for _, k := range slices.Sorted(maps.Keys(entries)) {
		_, _ = fmt.Fprintf(w, "s%d:%s", len(k), k)
		canonical(w, entries[k])
	}
}
