package test

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	howett "howett.net/plist"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// Profiles in every form that Apple's reader takes are installed, verified, taken off and put back,
// as the bytes that they were uploaded as: the device, which reads with a library of its own, finds
// the network in each.
func TestProfilesOfEveryForm(t *testing.T) {
	s := newSite(t)
	forms := map[string]func(string) []byte{
		"a byte order mark":     func(text string) []byte { return []byte("\ufeff" + text) },
		"UTF-16, little-endian": inUTF16(t, unicode.LittleEndian),
		"UTF-16, big-endian":    inUTF16(t, unicode.BigEndian),
		"ISO 8859-1":            inLatin1(t),
		"a version that is a real": func(text string) []byte {
			return []byte(strings.ReplaceAll(text, "<integer>1</integer>", "<real>1</real>"))
		},
		"a hexadecimal version": func(text string) []byte {
			return []byte(strings.ReplaceAll(text, "<integer>1</integer>",
				"<integer>0x1</integer>"))
		},
		"no version in what it holds": func(text string) []byte {
			return []byte(withoutInnerVersion(text))
		},
		"a scope in lower case": func(text string) []byte {
			return []byte(strings.Replace(text, "<key>PayloadContent</key>",
				"<key>PayloadScope</key><string>system</string><key>PayloadContent</key>", 1))
		},
		"binary": inBinary(t),
	}
	all := make(map[string]payload)
	for name, form := range forms {
		identifier := "com.example." + uuid.NewString()
		text := strings.ReplaceAll(string(mobileconfig(identifier, uuid.NewString())),
			"<key>SSID_STR</key><string>"+identifier, "<key>SSID_STR</key><string>Büro")
		all[name] = s.create(configurations, "deviceConfiguration", identifier,
			map[string]any{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
				"payloadFileName": "p.mobileconfig", "payloadName": identifier,
				"payload": form(text)})
		s.assign(configurations, all[name], allDevices)
	}
	d := s.enroll(simulator.Config{})
	everyone := func() bool {
		for _, p := range all {
			if !s.inPlace(d, p) || ssid(d, p.Identifier) != "Büro" {
				return false
			}
		}
		return true
	}
	s.eventually("all are installed and verified", everyone)
	var set []payload
	for _, p := range all {
		set = append(set, p)
	}
	s.sync(d, set...)
	s.eventually("all are taken off",
		func() bool { return s.result(d).final() && len(inventory(d)) == 0 })
	if r := s.result(d); r.ActionState != "done" {
		t.Errorf("the removal ended as %+v", r)
	}
	s.sync(d)
	s.eventually("all are back", func() bool { return s.result(d).final() && everyone() })
}

func inUTF16(t *testing.T, order unicode.Endianness) func(string) []byte {
	return func(text string) []byte {
		b, err := unicode.UTF16(order,
			unicode.UseBOM).NewEncoder().Bytes([]byte(strings.Replace(text, `encoding="UTF-8"`,
			`encoding="UTF-16"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func inLatin1(t *testing.T) func(string) []byte {
	return func(text string) []byte {
		b, err := charmap.ISO8859_1.NewEncoder().Bytes([]byte(strings.Replace(text,
			`encoding="UTF-8"`, `encoding="ISO-8859-1"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func inBinary(t *testing.T) func(string) []byte {
	return func(text string) []byte {
		var content any
		if _, err := howett.Unmarshal([]byte(text), &content); err != nil {
			t.Fatal(err)
		}
		b, err := howett.Marshal(content, howett.BinaryFormat)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func withoutInnerVersion(text string) string {
	before, inner, _ := strings.Cut(text, "<key>PayloadContent</key>")
	return before + "<key>PayloadContent</key>" +
		strings.Replace(inner, "<key>PayloadVersion</key><integer>1</integer>", "", 1)
}
