package payload_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// binaryWriter writes a binary property list, every value an object of its own.
type binaryWriter struct{ objects [][]byte }

func (w *binaryWriter) add(b []byte) uint16 {
	w.objects = append(w.objects, b)
	return uint16(len(w.objects) - 1)
}

func counted(kind byte, n int, body []byte) []byte {
	if n < 15 {
		return append([]byte{kind<<4 | byte(n)}, body...)
	}
	return append([]byte{kind<<4 | 0xf, 0x12, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)},
		body...)
}

func (w *binaryWriter) value(v any) uint16 {
	switch v := v.(type) {
	case bool:
		if v {
			return w.add([]byte{0x09})
		}
		return w.add([]byte{0x08})
	case int:
		return w.value(int64(v))
	case int64:
		return w.add(binary.BigEndian.AppendUint64([]byte{0x13}, uint64(v)))
	case uint64:
		return w.add(binary.BigEndian.AppendUint64(append([]byte{0x14}, make([]byte, 8)...), v))
	case float64:
		return w.add(binary.BigEndian.AppendUint64([]byte{0x23}, math.Float64bits(v)))
	case time.Time:
		return w.add(binary.BigEndian.AppendUint64([]byte{0x33},
			math.Float64bits(float64(v.Unix()-978307200))))
	case []byte:
		return w.add(counted(4, len(v), v))
	case string:
		units := utf16.Encode([]rune(v))
		if len(units) == len(v) {
			return w.add(counted(5, len(v), []byte(v)))
		}
		var b []byte
		for _, u := range units {
			b = binary.BigEndian.AppendUint16(b, u)
		}
		return w.add(counted(6, len(units), b))
	case []any:
		var refs []byte
		for _, e := range v {
			refs = binary.BigEndian.AppendUint16(refs, w.value(e))
		}
		return w.add(counted(0xa, len(v), refs))
	case dict:
		var keys, values []byte
		for _, k := range slices.Sorted(maps.Keys(v)) {
			keys = binary.BigEndian.AppendUint16(keys, w.value(k))
			values = binary.BigEndian.AppendUint16(values, w.value(v[k]))
		}
		return w.add(counted(0xd, len(v), append(keys, values...)))
	}
	panic("not a value of a property list")
}

func (w *binaryWriter) finish(root uint16) []byte {
	b := []byte("bplist00")
	var table []byte
	for _, o := range w.objects {
		table = binary.BigEndian.AppendUint32(table, uint32(len(b)))
		b = append(b, o...)
	}
	at := len(b)
	b = append(b, table...)
	b = append(b, 0, 0, 0, 0, 0, 0, 4, 2)
	b = binary.BigEndian.AppendUint64(b, uint64(len(w.objects)))
	b = binary.BigEndian.AppendUint64(b, uint64(root))
	return binary.BigEndian.AppendUint64(b, uint64(at))
}

func binaryList(v any) []byte {
	w := &binaryWriter{}
	return w.finish(w.value(v))
}

func raw(root uint16, objects ...[]byte) []byte {
	return (&binaryWriter{objects: objects}).finish(root)
}

func TestHostileBinaryLists(t *testing.T) {
	doubling := &binaryWriter{}
	last := doubling.value("x")
	for range 40 {
		ref := []byte{byte(last >> 8), byte(last)}
		last = doubling.add(append([]byte{0xa2}, append(ref, ref...)...))
	}
	lying := raw(0, []byte{0x5f, 0x13, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	manyObjects := binaryList(dict{})
	copy(manyObjects[len(manyObjects)-24:], strings.Repeat("\xff", 8))
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"a loop":             {raw(0, []byte{0xa1, 0, 0}), "deeper than 64"},
		"doubling":           {doubling.finish(last), "more than is allowed"},
		"a length that lies": {lying, "outside of the file"},
		"objects that lie":   {manyObjects, "outside of the file"},
		"a reference astray": {raw(0, []byte{0xa1, 0, 1}), "outside of the file"},
		"no objects":         {raw(0), "outside of the file"},
		"only a trailer":     {[]byte("bplist00" + strings.Repeat("\x00", 32)), "impossible sizes"},
		"short":              {[]byte("bplist00"), "outside of the file"},
		"a UID":              {raw(0, []byte{0x80, 1}), "not allowed"},
		"null":               {raw(0, []byte{0x00}), "not allowed"},
		"a long integer":     {raw(0, append([]byte{0x14, 1}, make([]byte, 15)...)), "64 bits"},
		"a key of data":      {raw(0, []byte{0xd1, 0, 1, 0, 1}, []byte{0x41, 0}), "not a string"},
		"a key twice": {raw(0, []byte{0xd2, 0, 1, 0, 1, 0, 1, 0, 1}, []byte{0x51, 'a'}),
			"twice"},
		"a date in no year": {raw(0, append([]byte{0x33}, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0)), "years"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := propertylist.Decode(c.file); err == nil ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestConfigurationRevision(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	same := []dict{
		{"i": 7, "n": -3, "f": 2.0, "r": 0.25, "b": true, "s": "x", "d": []byte{1, 2}, "t": at,
			"l": []any{1, dict{"k": "v"}}},
		{"i": uint64(7), "n": int64(-3), "f": float32(2), "r": float32(0.25), "b": true, "s": "x",
			"d": []byte{1, 2},
			"t": at.In(time.FixedZone("", 3600)),
			"l": []any{int8(1), propertylist.Dictionary{"k": "v"}}},
		{"i": int16(7), "n": ^uint64(0) - 2, "f": 2, "r": 0.25, "b": true, "s": "x",
			"d": []byte{1, 2}, "t": at, "l": []any{1.0, dict{"k": "v"}}},
	}
	want := payload.ConfigurationRevision(same[0])
	for i, d := range same {
		if got := payload.ConfigurationRevision(d); got != want {
			t.Errorf("dictionary %d: %s, want %s", i, got, want)
		}
	}
	for name, b := range map[string][]byte{"XML": xmlList(t, same[0]),
		"binary": binaryList(same[0])} {
		if got := payload.ConfigurationRevision(decode(t, b)); got != want {
			t.Errorf("through %s: %s, want %s", name, got, want)
		}
	}
	different := map[string]dict{}
	for _, d := range []dict{
		{}, {"a": "1"}, {"a": 1}, {"a": true}, {"a": []byte("1")}, {"a": []any{1}},
		{"a": []any{1, 1}}, {"a": dict{}}, {"a": []any{}},
		{"a": 1.5}, {"b": 1}, {"a": ""}, {"a": "b1:c"}, {"a": at}, {"a": []any{"x", "y"}},
		{"a": []any{"y", "x"}}, {"a": "x", "b": "y"},
		{"a": 1e300}, {"a": -1},
	} {
		r := payload.ConfigurationRevision(d)
		if other, ok := different[r]; ok {
			t.Errorf("%v and %v have one revision", d, other)
		}
		different[r] = d
	}
}

func TestDictionaryInJSON(t *testing.T) {
	settings := payload.AppSettings{BundleID: "com.example.app",
		Configuration: propertylist.Dictionary{
			"data": []byte{0, 255}, "date": time.Unix(1e9, 0).UTC(), "int": int64(-5),
			"big": uint64(1 << 63), "real": 1.5, "yes": true}}
	b, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	var got payload.AppSettings
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if payload.ConfigurationRevision(got.Configuration) != payload.ConfigurationRevision(settings.Configuration) {
		t.Errorf("got %v", got.Configuration)
	}
	if err := json.Unmarshal([]byte(`{"Configuration":"<dict>"}`), &got); err == nil {
		t.Error("a damaged configuration was read")
	}
	if err := json.Unmarshal([]byte(`{"Configuration":null}`), &got); err != nil ||
		got.Configuration != nil {
		t.Errorf("null: %v, %v", got.Configuration, err)
	}
}

func settingsJSON(items ...string) string {
	return `{"settings":[` + strings.Join(items, ",") +
		`]}`
}

func item(key, kind, value string) string {
	b, _ := json.Marshal(map[string]string{"appConfigKey": key, "appConfigKeyType": kind,
		"appConfigKeyValue": value})
	return string(b)
}

func encodedXML(list string) string {
	b, _ := json.Marshal(map[string]string{"encodedSettingXml": base64.StdEncoding.EncodeToString([]byte(list))})
	return string(b)
}

func TestParseAppConfiguration(t *testing.T) {
	want := dict{"server": "https://x", "port": 443, "ratio": 0.5, "on": true, "off": false}
	for name, body := range map[string]string{
		"settings": settingsJSON(item("server", "stringType", "https://x"),
			item("port", "integerType", "443"),
			item("ratio", "realType", "0.5"), item("on", "booleanType", "TRUE"),
			item("off", "booleanType", "false")),
		"XML": encodedXML(string(xmlList(t, want))),
		"XML without a frame": encodedXML("<dict><key>server</key><string>https://x</string><key>port</key><integer>443</integer>" +
			"<key>ratio</key><real>0.5</real><key>on</key><true/><key>off</key><false/></dict>"),
		"binary": encodedXML(string(binaryList(want))),
	} {
		got, err := payload.ParseAppConfiguration(json.RawMessage(body))
		if err != nil || payload.ConfigurationRevision(got) != payload.ConfigurationRevision(want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for body, property := range map[string]string{
		``: "settings", `[]`: "properties", `null`: "properties", `{}`: "settings",
		`{"settings":null}`: "settings", `{"settings":[]}`: "settings",
		`{"settings":"x"}`: "settings",
		`{"settings":[{"appConfigKeyType":"stringType"}]}`: "settings[0].appConfigKey",
		settingsJSON(item("a", "stringType", ""),
			item("a", "stringType", "")): "settings[1].appConfigKey",
		settingsJSON(item("a", "integerType",
			"1.5")): "settings[0].appConfigKeyValue",
		settingsJSON(item("a", "integerType",
			"9223372036854775808")): "settings[0].appConfigKeyValue",
		settingsJSON(item("a", "realType",
			"NaN")): "settings[0].appConfigKeyValue",
		settingsJSON(item("a", "booleanType",
			"1")): "settings[0].appConfigKeyValue",
		settingsJSON(item("a", "tokenType",
			"{{mail}}")): "settings[0].appConfigKeyType",
		settingsJSON(item("a", "",
			"x")): "settings[0].appConfigKeyType",
		`{"encodedSettingXml":7}`:                                        "encodedSettingXml",
		`{"encodedSettingXml":"?"}`:                                      "encodedSettingXml",
		encodedXML("<dict/>"):                                            "encodedSettingXml",
		encodedXML("<array/>"):                                           "encodedSettingXml",
		encodedXML("<dict><key>a</key>"):                                 "encodedSettingXml",
		`{"encodedSettingXml":"PGRpY3QvPg==","settings":[]}`:             "settings",
		`{"settings":[` + strings.Repeat(" ", catalog.MaxPropertiesSize): "properties",
	} {
		got, err := payload.ParseAppConfiguration(json.RawMessage(body))
		var invalid *invalid.Input
		if !errors.As(err, &invalid) || invalid.Property != property {
			t.Errorf("%.80s: %v, %v; want *Invalid of %s", body, got, err, property)
		}
	}
}

func FuzzParseAppConfiguration(f *testing.F) {
	f.Add([]byte(settingsJSON(item("a", "stringType", "x"), item("b", "realType", "1e3"))))
	f.Add([]byte(encodedXML("<dict><key>a</key><integer>1</integer></dict>")))
	f.Add([]byte(`{"settings":null,"encodedSettingXml":""}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		defer cost.Input(t)()
		d, err := payload.ParseAppConfiguration(body)
		var invalid *invalid.Input
		if err != nil && !errors.As(err, &invalid) {
			t.Fatalf("%v is not an *Invalid", err)
		}
		if err == nil && len(d) == 0 {
			t.Fatal("an empty configuration was accepted")
		}
	})
}

func FuzzEncodedSettingXML(f *testing.F) {
	f.Add([]byte("<dict><key>a</key><integer>1</integer></dict>"))
	f.Add([]byte(`<?xml version="1.0"?><!DOCTYPE plist PUBLIC "a" "b"><plist><dict><key>a</key><date>2020-01-01T00:00:00Z</date></dict></plist>`))
	f.Add(binaryList(dict{"a": []any{true, "ü", 1.5, dict{"k": []byte{1}}}}))
	f.Fuzz(func(t *testing.T, list []byte) {
		defer cost.Input(t)()
		d, err := payload.ParseAppConfiguration(json.RawMessage(encodedXML(string(list))))
		if err != nil {
			return
		}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again propertylist.Dictionary
		if err := json.Unmarshal(b, &again); err != nil {
			t.Skip("has characters that XML cannot hold, which Create refuses")
		}
		if len(again) != len(d) {
			t.Fatalf("%v became %v", d, again)
		}
	})
}
