package payload_test

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

type dict = map[string]any

// inner is a payload inside a profile; more overrides or, with nil, removes keys.
func inner(kind, name string, more dict) dict {
	return with(dict{"PayloadType": kind, "PayloadIdentifier": "com.example." + name,
		"PayloadUUID": "UUID-" + name, "PayloadVersion": 1}, more)
}

func top(more dict, payloads ...any) dict {
	return with(dict{"PayloadType": "Configuration", "PayloadIdentifier": "com.example.office",
		"PayloadUUID":    "5F2C-TOP",
		"PayloadVersion": 1, "PayloadDisplayName": "Office", "PayloadContent": payloads}, more)
}

func with(d, more dict) dict {
	d = maps.Clone(d)
	for k, v := range more {
		if d[k] = v; v == nil {
			delete(d, k)
		}
	}
	return d
}

func xmlList(t testing.TB, v any) []byte {
	t.Helper()
	b, err := plist.MarshalIndent(v, "\t")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var wifi = inner("com.apple.wifi.managed", "wifi", dict{"SSID_STR": "Office"})

func TestGoodProfiles(t *testing.T) {
	plain := top(dict{"PayloadScope": "System", "PayloadRemovalDisallowed": true}, wifi,
		inner("com.apple.security.root", "root", dict{"PayloadContent": []byte{0x30, 0x00}}))
	for name, file := range map[string][]byte{
		"XML":                   xmlList(t, plain),
		"XML with a byte mark":  append([]byte("\xef\xbb\xbf"), xmlList(t, plain)...),
		"XML with white space":  append([]byte("\n \n"), xmlList(t, plain)...),
		"binary":                binaryList(plain),
		"signed XML":            sign(t, xmlList(t, plain)),
		"signed binary":         sign(t, binaryList(plain)),
		"signed, padded behind": append(sign(t, xmlList(t, plain)), 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := payload.ParseProfile(file)
			if err != nil {
				t.Fatal(err)
			}
			if p.Identifier != "com.example.office" || p.UUID != "5f2c-top" ||
				p.DisplayName != "Office" || p.Scope != "System" ||
				!p.RemovalDisallowed || p.SubType != "wiFi" ||
				p.Signed != strings.HasPrefix(name, "signed") ||
				!reflect.DeepEqual(p.PayloadTypes,
					[]string{"com.apple.wifi.managed", "com.apple.security.root"}) {
				t.Errorf("read %+v", p)
			}
		})
	}
}

func TestBadProfiles(t *testing.T) {
	good := string(xmlList(t, top(nil, wifi)))
	changed := sign(t, []byte(good))
	changed[bytes.Index(changed, []byte("com.example.office"))] = 'k'
	cases := map[string]struct {
		file any    // a property list, or bytes
		want string // in the reason
	}{
		"empty": {[]byte{}, "neither a property list"},
		"text":  {[]byte("hello"), "neither a property list"},
		"JSON": {[]byte(`{"PayloadType":"Configuration"}`),
			"JSON or a property list of the old form"},
		"old form": {[]byte("{ PayloadType = Configuration; PayloadVersion = 1; }"),
			"plutil -convert xml1"},
		"too big": {make([]byte, payload.MaxProfileSize+1), "at most 4194304"},
		"HTML":    {[]byte("<html><body/></html>"), "not a valid property list"},
		"cut off": {[]byte(good[:len(good)-20]), "not a valid property list: line"},
		"text between": {[]byte(strings.Replace(good, "<array>", "<array>tail", 1)),
			`"tail" is outside of a value`},
		"second root":   {[]byte("<plist><dict/><dict/></plist>"), "second root"},
		"root an array": {[]any{}, "not a dictionary"},
		"key twice": {[]byte(strings.Replace(good, "<key>PayloadType</key>",
			"<key>PayloadVersion</key><integer>1</integer><key>PayloadType</key>", 1)),
			`"PayloadVersion" is there twice`},
		"key without value": {[]byte("<plist><dict><key>a</key></dict></plist>"),
			"line 1, column 14: the key \"a\" has no value"},
		"two keys": {[]byte("<plist><dict><key>a</key><key>b</key><true/></dict></plist>"),
			"<true> without a key"},
		"value without key": {[]byte("<plist><dict><true/></dict></plist>"), "without a key"},
		"empty plist":       {[]byte("<plist></plist>"), "empty"},
		"bad base64": {[]byte("<plist><dict><key>a</key><data>\u00e4</data></dict></plist>"),
			"line 1, column 26 (a): the data is not base64"},
		"bad integer": {[]byte("<plist><dict><key>a</key><integer>x</integer></dict></plist>"),
			"line 1, column 26 (a): \"x\" is not an integer"},
		"deep": {[]byte("<plist><dict><key>a</key>" +
			strings.Repeat("<array>", 500000)), "deeper than 64"},
		"entities":        {[]byte(`<!DOCTYPE plist [<!ENTITY a "aaaa">]><plist><dict><key>a</key><string>&a;</string></dict></plist>`), "none of XML's own five entities"},
		"external entity": {[]byte(`<plist><dict><key>a</key><string>&xxe;</string></dict></plist>`), "none of XML's own five entities"},
		"encrypted content": {top(dict{"EncryptedPayloadContent": []byte{1},
			"PayloadContent": nil}), "EncryptedPayloadContent"},
		"no type": {top(dict{"PayloadType": nil}, wifi), "PayloadType: is missing"},
		"other type": {top(dict{"PayloadType": "Profile Service"}, wifi),
			`"Profile Service"`},
		"type not a string": {top(dict{"PayloadType": 3}, wifi),
			"PayloadType: is not a string"},
		"no identifier": {top(dict{"PayloadIdentifier": nil}, wifi),
			"PayloadIdentifier: is missing"},
		"empty identifier": {top(dict{"PayloadIdentifier": " "}, wifi),
			"PayloadIdentifier: is empty"},
		"long identifier": {top(dict{"PayloadIdentifier": strings.Repeat("a", 256)}, wifi),
			"longer than 255"},
		"no UUID": {top(dict{"PayloadUUID": nil}, wifi), "PayloadUUID: is missing"},
		"no version": {top(dict{"PayloadVersion": nil}, wifi),
			"PayloadVersion: is missing"},
		"version a string": {top(dict{"PayloadVersion": "1"}, wifi),
			"PayloadVersion: is not a number (line"},
		"strange scope": {top(dict{"PayloadScope": "Galaxy"}, wifi), "PayloadScope"},
		"removal not a boolean": {top(dict{"PayloadRemovalDisallowed": "yes"}, wifi),
			"PayloadRemovalDisallowed"},
		"no content": {top(dict{"PayloadContent": nil}), "PayloadContent: is missing"},
		"content a dictionary": {top(dict{"PayloadContent": dict{}}),
			"PayloadContent: is not an array"},
		"empty content": {top(dict{"PayloadContent": []any{}}),
			"PayloadContent: is empty"},
		"inner not a dictionary": {top(nil, wifi, "x"), "PayloadContent[1]: is not a dictionary"},
		"inner without type": {top(nil, inner("x", "x", dict{"PayloadType": nil})),
			"PayloadContent[0].PayloadType: is missing (line 7, column 3)"},
		"inner without identifier": {top(nil, wifi,
			inner("com.apple.dock", "x", dict{"PayloadIdentifier": nil})),
			"PayloadContent[1].PayloadIdentifier: is missing (in com.apple.dock, line 19, column 3)"},
		"inner without UUID": {top(nil, inner("a.b", "x", dict{"PayloadUUID": nil})),
			"PayloadContent[0].PayloadUUID: is missing (in a.b, "},
		"inner version a string": {top(nil, inner("a.b", "x", dict{"PayloadVersion": "1"})),
			"PayloadContent[0].PayloadVersion: is not a number (in a.b, line 15, column 4)"},
		"inner identifiers equal": {top(nil, wifi, with(wifi, dict{"PayloadUUID": "other"})),
			`also that of PayloadContent[0]`},
		"inner UUIDs equal": {top(nil, wifi, with(wifi,
			dict{"PayloadIdentifier": "other", "PayloadUUID": "uuid-WIFI"})),
			`PayloadContent[1].PayloadUUID: "uuid-wifi" is also that of PayloadContent[0]`},
		"MDM enrollment": {top(nil, wifi, inner("com.apple.mdm", "mdm", nil)),
			"an MDM enrollment can never be a payload"},
		"our enrollment":         {top(dict{"PayloadIdentifier": payload.EnrollmentProfileIdentifier}, wifi), "enrollment profile"},
		"our enrollment, louder": {top(dict{"PayloadIdentifier": "COM.GitHub.syncpayloads.enrollment"}, wifi), "enrollment profile"},
		"part of our enrollment": {top(nil, with(wifi,
			dict{"PayloadIdentifier": payload.EnrollmentProfileIdentifier + ".scep"})),
			"PayloadContent[0].PayloadIdentifier: \"com.github.syncpayloads.enrollment.scep\" belongs"},
		"signed nonsense":       {sign(t, []byte("hello")), "neither a property list"},
		"signed twice":          {sign(t, sign(t, []byte(good))), "neither a property list"},
		"changed after signing": {changed, "changed after it was signed"},
		"signature cut off":     {sign(t, []byte(good))[:300], "signature cannot be read"},
		"encrypted file":        {encrypted(t, []byte(good)), "encrypted"},
		"deep signature":        {bytes.Repeat([]byte{0x30, 0x80}, 1<<20), "nested deeper"},
		"terminated emptiness": {bytes.Repeat([]byte{0x30, 0x80, 0, 0}, 1<<19),
			"signature cannot be read"},
		"signature of nothing":    {[]byte{0x30, 0x00}, "signature cannot be read"},
		"signature's length lies": {[]byte{0x30, 0x03, 0x04, 0x7f, 0x01}, "damaged ASN.1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			file, ok := c.file.([]byte)
			if !ok {
				file = xmlList(t, c.file)
			}
			p, err := payload.ParseProfile(file)
			var invalid *invalid.Input
			if !errors.As(err, &invalid) || invalid.Property != "payload" ||
				!strings.Contains(invalid.Reason, c.want) {
				t.Errorf("got %+v, %v; want a reason with %q", p, err, c.want)
			}
		})
	}
}

func TestWithUUIDKeepsTheRest(t *testing.T) {
	settings := dict{
		"Text": "a < b & \"c\" ü\n", "Empty": "", "Data": []byte{0, 1, 255}, "NoData": []byte{},
		"Date": time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC), "Negative": int64(-42),
		"Large": uint64(1<<64 - 1),
		"Real":  0.1, "Whole": 3.0, "Yes": true, "No": false,
		"List": []any{uint64(1), "two", []any{}, dict{}},
	}
	for name, file := range map[string][]byte{
		"XML":    xmlList(t, top(nil, with(wifi, settings))),
		"binary": binaryList(top(nil, with(wifi, settings))),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := payload.ParseProfile(file)
			if err != nil {
				t.Fatal(err)
			}
			b, err := p.WithUUID("aaaaaaaa-0000-4000-8000-000000000000")
			if err != nil {
				t.Fatal(err)
			}
			before, after := decode(t, file), decode(t, b)
			if after["PayloadUUID"] != "aaaaaaaa-0000-4000-8000-000000000000" {
				t.Errorf("PayloadUUID is %v", after["PayloadUUID"])
			}
			after["PayloadUUID"] = before["PayloadUUID"]
			if !reflect.DeepEqual(normal(before), normal(after)) {
				t.Errorf("before %v\nafter  %v", before, after)
			}
			if got := after["PayloadContent"].([]any)[0].(dict)["Negative"]; got != int64(-42) {
				t.Errorf("Negative is %v", got)
			}
		})
	}
	p, err := payload.ParseProfile(sign(t, xmlList(t, top(nil, wifi))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.WithUUID("x"); err == nil ||
		!strings.Contains(err.Error(), "give it a new PayloadUUID") {
		t.Errorf("a signed profile: %v", err)
	}
}

func decode(t *testing.T, b []byte) dict {
	t.Helper()
	d, err := propertylist.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// normal makes values comparable that mean the same: empty data, and times in UTC.
func normal(v any) any {
	switch v := v.(type) {
	case dict:
		out := dict{}
		for k, e := range v {
			out[k] = normal(e)
		}
		return out
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, normal(e))
		}
		return out
	case []byte:
		return append([]byte{}, v...)
	case time.Time:
		return v.UTC().Unix()
	default:
		return v
	}
}

// A signed seed is in testdata: a seed must be the same in every process.
func FuzzParseProfile(f *testing.F) {
	f.Add(xmlList(f, top(nil, wifi)))
	f.Add(binaryList(top(dict{"D": time.Unix(1e9, 0), "R": 0.5, "N": int64(-1), "B": []byte{1},
		"U": "ü"}, wifi)))
	f.Add([]byte("<plist><dict><key>a</key><array><true/></array></dict></plist>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		defer cost.Input(t)()
		p, err := payload.ParseProfile(b)
		if err != nil {
			var invalid *invalid.Input
			if !errors.As(err, &invalid) {
				t.Fatalf("%v is not an *Invalid", err)
			}
			return
		}
		if p.Signed {
			return
		}
		again, err := p.WithUUID("NEW")
		if err != nil {
			t.Fatal(err)
		}
		q, err := payload.ParseProfile(again)
		if err != nil || q.UUID != "new" || len(q.PayloadTypes) != len(p.PayloadTypes) {
			t.Fatalf("read %+v; written with another UUID it is %+v, %v", p, q, err)
		}
	})
}
