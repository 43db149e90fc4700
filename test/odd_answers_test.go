package test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// replaced is the oddity of a device that sends one thing in place of another, in messages of a
// kind.
func replaced(kind, old, instead string) simulator.Oddity {
	return func(k string, message []byte) []byte {
		if k != kind {
			return message
		}
		return bytes.ReplaceAll(message, []byte(old), []byte(instead))
	}
}

var commandUUID = regexp.MustCompile(`<key>CommandUUID</key><string>[^<]*</string>`)

// What is odd in a message beside what it has to say changes nothing.
func TestOddMessages(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	name := phone.Facts().DeviceName
	for what, odd := range map[string]simulator.Oddity{
		"binary": simulator.InBinary, "UTF-16": simulator.InUTF16,
		"a byte order mark": simulator.WithMark,
		"U+0000 in a name": func(_ string,
			m []byte) []byte {
			return bytes.ReplaceAll(m, []byte(name), []byte("a\x00b"))
		},
		"U+0008 as a reference": func(_ string,
			m []byte) []byte {
			return bytes.ReplaceAll(m, []byte(name), []byte("a&#8;b"))
		},
		"broken UTF-8": func(_ string,
			m []byte) []byte {
			return bytes.ReplaceAll(m, []byte(name), []byte("a\xffb"))
		},
		"an integer out of range": replaced("Acknowledged",
			"<key>PayloadVersion</key><integer>1</integer>",
			"<key>PayloadVersion</key><integer>99999999999999999999</integer>"),
		"an empty integer": replaced("Acknowledged",
			"<key>PayloadVersion</key><integer>1</integer>", "<key>PayloadVersion</key><integer/>"),
		"an entry that is none": replaced("Acknowledged", "<key>ProfileList</key><array>",
			"<key>ProfileList</key><array><integer>7</integer><dict><key>PayloadIdentifier</key><data>!</data></dict>"),
		"no UDID": func(_ string, m []byte) []byte {
			return bytes.ReplaceAll(m, []byte("<key>UDID</key>"), []byte("<key>X</key>"))
		},
	} {
		phone.SetOddity(odd)
		s.sync(phone, vpn)
		if r := s.ends(phone, what+": the removal ends"); r.of(vpn) != "remove/removed" ||
			!has(phone, app) {
			t.Errorf("%s: shown is %+v", what, r)
		}
		s.sync(phone)
		if r := s.ends(phone, what+": the restoration ends"); r.of(vpn) != "restore/succeeded" ||
			!has(phone, vpn, app) {
			t.Errorf("%s: shown is %+v", what, r)
		}
	}
}

// A device enrolls whatever its name and its form of a property list.
func TestOddDevicesEnroll(t *testing.T) {
	s := newSite(t)
	wifi := s.profile("com.example.wifi")
	for what, odd := range map[string]simulator.Oddity{"binary": simulator.InBinary,
		"UTF-16": simulator.InUTF16,
		"an odd name": func(_ string, m []byte) []byte {
			return bytes.ReplaceAll(m, []byte("iPhone "), []byte("i\x00\x08 "))
		},
		"an odd topic": replaced("Authenticate", "<key>Topic</key>",
			"<key>Topic</key><integer/><key>X</key>")} {
		phone := s.fleet.Add(simulator.Config{Kind: simulator.IPhone, Seed: uint64(len(what))})
		phone.SetOddity(odd)
		s.enrollAgain(phone)
		s.eventually(what+": it gets its profile", func() bool { return has(phone, wifi) })
	}
}

// An answer that stays unreadable ends its command in error, after as many tries as any, and the
// next command is not held up.
func TestUnreadableAnswersEndTheirCommand(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	removing := func(k string,
		m []byte) bool {
		return k == "Error" && bytes.Contains(m, []byte("12999"))
	}
	for what, c := range map[string]struct {
		odd  func([]byte) []byte
		want string
	}{
		"cut": {func(m []byte) []byte { return m[:len(m)/3] }, "cannot be read"},
		"no status": {func(m []byte) []byte {
			return bytes.ReplaceAll(m, []byte("<string>Error</string>"),
				[]byte("<integer>1</integer>"))
		},
			"no status"},
		"nothing": {func([]byte) []byte { return []byte("garbage") }, "no property list"},
		"too long": {func(m []byte) []byte {
			return append(m, bytes.Repeat([]byte(" "), 9<<20)...)
		},
			"longer than 8388608 bytes"},
		"another id": {func(m []byte) []byte {
			return commandUUID.ReplaceAll(m,
				[]byte("<key>CommandUUID</key><string>another</string>"))
		}, "another command's id"},
		"no id": {func(m []byte) []byte { return commandUUID.ReplaceAll(m, nil) },
			"NSOddDomain 12999"},
	} {
		phone.SetOddity(func(k string, m []byte) []byte {
			if removing(k, m) {
				return c.odd(m)
			}
			return m
		})
		phone.AddHook(simulator.Hook{RequestType: "RemoveProfile", Effect: simulator.AnswerError,
			Times: simulator.Always,
			Chain: []simulator.ErrorLink{{Domain: "NSOddDomain", Code: 12999, Description: "No."}}})
		s.sync(phone, vpn, app)
		var r result
		s.within(time.Minute, what+": the removal ends", func() bool {
			r = s.result(phone)
			return r.ActionState == "failed" || r.ActionState == "done"
		})
		if r.of(vpn) != "remove/error" || r.of(app) != "remove/removed" {
			t.Errorf("%s: shown is %+v", what, r)
		}
		for _, line := range r.DeviceActionPayloads {
			if line.Status == "error" && (!strings.Contains(line.Detail, c.want) ||
				strings.Contains(line.Detail, "plist:")) {
				t.Errorf("%s: the detail is %q", what, line.Detail)
			}
		}
		phone.ClearHooks()
		phone.SetOddity(nil)
		s.sync(phone)
		s.within(time.Minute, what+": all is back", func() bool { return has(phone, vpn, app) })
		s.ends(phone, what+": the restoration ends")
	}
}

// The device's own words stay beside what its inventory shows against them.
func TestDevicesWordsAgainstItsInventory(t *testing.T) {
	s, phone, vpn, _ := onePhone(t)
	phone.AddHook(simulator.Hook{RequestType: "RemoveProfile", Effect: simulator.AnswerError,
		Times: simulator.Always,
		Chain: []simulator.ErrorLink{{Domain: "MDMClientError", Code: 89,
			Description: "Profile not found."}}})
	s.sync(phone, vpn)
	var r result
	s.within(time.Minute, "the removal ends",
		func() bool { r = s.result(phone); return r.ActionState == "failed" })
	line := r.DeviceActionPayloads[0]
	if line.ErrorCode != -4 || !strings.Contains(line.Detail, "still shows it") ||
		!strings.Contains(line.Detail, "MDMClientError 89: Profile not found.") {
		t.Errorf("shown is %+v", line)
	}
	var told struct {
		Value []struct {
			ErrorCode   int64
			ErrorSource string
		}
	}
	s.must("GET", "/api/failures", nil, &told)
	if fmt.Sprint(told.Value) != "[{-4 server}]" {
		t.Errorf("counted are %v", told.Value)
	}
}
