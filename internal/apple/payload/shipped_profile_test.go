package payload_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
)

// written is a profile as a person or a program writes it: top and inside are more keys at the top
// and of the payload inside.
func written(top, inside string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
	<key>PayloadContent</key><array><dict>
		<key>PayloadType</key><string>com.apple.applicationaccess</string>
		<key>PayloadIdentifier</key><string>com.example.shipped.restrictions</string>
		<key>PayloadUUID</key><string>restrictions, no GUID</string>
` + inside + `
	</dict></array>
	<key>PayloadType</key><string>Configuration</string>
	<key>PayloadIdentifier</key><string>com.example.shipped</string>
	<key>PayloadUUID</key><string>8B2D0E5A-6C1F-4B58-9F0E-2F8A55B0C001</string>
	<key>PayloadVersion</key><integer>1</integer>
	<key>PayloadDisplayName</key><string>Büro ¥</string>
` + top + `
</dict></plist>
`
}

func wide(order binary.AppendByteOrder, mark bool, s string) []byte {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xfeff)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

func wider(order binary.AppendByteOrder, s string) []byte {
	b := order.AppendUint32(nil, 0xfeff)
	for _, c := range s {
		b = order.AppendUint32(b, uint32(c))
	}
	return b
}

func encode(t *testing.T, enc interface{ Bytes([]byte) ([]byte, error) }, s string) []byte {
	t.Helper()
	b, err := enc.Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What vendors and people ship, and Apple's own reader takes, is taken.
func TestShippedProfiles(t *testing.T) {
	const version = "<key>PayloadVersion</key><integer>1</integer>"
	plain := written("", version)
	declared := func(name string) string { return strings.Replace(plain, "UTF-8", name, 1) }
	for name, file := range map[string][]byte{
		"no PayloadVersion inside": []byte(written("", "")),
		"PayloadVersion a real": []byte(written("",
			"<key>PayloadVersion</key><real>1</real>")),
		"PayloadVersion a real at the top": []byte(strings.Replace(plain,
			"<integer>1</integer>\n	<key>PayloadDisplayName",
			"<real>1.0</real>\n	<key>PayloadDisplayName", 1)),
		"scope in lower case":            []byte(written("<key>PayloadScope</key><string>system</string>", version)),
		"scope in upper case":            []byte(written("<key>PayloadScope</key><string>USER</string>", version)),
		"removal disallowed by a number": []byte(written("<key>PayloadRemovalDisallowed</key><integer>1</integer>", version)),
		"all keys of the top": []byte(written(`<key>ConsentText</key><dict><key>default</key><string>Agree</string></dict>
			<key>TargetDeviceType</key><integer>5</integer><key>DurationUntilRemoval</key><real>3.6e3</real><key>HasRemovalPasscode</key><false/>
			<key>RemovalDate</key><date>2031-01-01T00:00:00Z</date><key>PayloadExpirationDate</key><date>2031-01-01T00:00:00Z</date>
			<key>PayloadOrganization</key><string/><key>PayloadEnabled</key><true></true>`, version)),
		"managed preferences": []byte(written("", version+`<key>PayloadContent</key><dict><key>com.example.app</key><dict><key>Forced</key><array><dict>
			<key>mcx_preference_settings</key><dict><key>url</key><string>https://example.com?a=1&amp;b=2</string></dict></dict></array></dict></dict>`)),
		"hexadecimal integers": []byte(strings.ReplaceAll(plain, "<integer>1<",
			"<integer>0x1<")),
		"signed integers": []byte(strings.ReplaceAll(plain, "<integer>1<",
			"<integer> + 01<")),
		"comments with two hyphens": []byte(written("<!-- ---- section -- -->",
			"<!-- a --><?pi?>"+version)),
		"CDATA": []byte(strings.Replace(plain, "<string>Configuration",
			"<string><![CDATA[Configur]]>ation", 1)),
		"characters by number": []byte(strings.Replace(plain, "<string>Configuration",
			"<string>&#67;onfigur&#x61;tion", 1)),
		"white space in tags": []byte(strings.ReplaceAll(plain, "</key>", "</key\n>")),
		"attributes":          []byte(strings.ReplaceAll(plain, "<key>", `<key id='1'>`)),
		"white space in data": []byte(written("",
			version+"<key>Icon</key><data>\n\t\tAA\t EC\n\t\tAw==\n\t</data><key>None</key><data></data>")),
		"declarations in the type": []byte(strings.Replace(plain, `.dtd">`,
			".dtd\" [\n<!ELEMENT plist (dict)>\n<!-- > ] -->\n<!ENTITY x \"y\">\n%pe;]>", 1)),
		"an empty key": []byte(written("",
			version+"<key/><string>nothing</string>")),
		"a key twice": []byte(written("",
			version+"<key>allowCamera</key><true/><key>allowCamera</key><false/>")),
		"a second document behind": []byte(plain + plain),
		"zeros behind":             []byte(plain + "\x00\x00\x00"),
		"no frame": []byte(plain[strings.Index(plain,
			"<dict>"):strings.LastIndex(plain, "</plist>")]),
		"no declaration":    []byte(plain[strings.Index(plain, "<plist"):]),
		"lines of Windows":  []byte(strings.ReplaceAll(plain, "\n", "\r\n")),
		"lines of old Macs": []byte(strings.ReplaceAll(plain, "\n", "\r")),
		"numbers that are not finite": []byte(written("",
			version+"<key>a</key><real>nan</real><key>b</key><real>-Infinity</real><key>c</key><real>+1e5</real>")),
		"UTF-16LE":                wide(binary.LittleEndian, true, declared("UTF-16")),
		"UTF-16BE":                wide(binary.BigEndian, true, declared("UTF-16")),
		"UTF-16LE without a mark": wide(binary.LittleEndian, false, declared("UTF-16LE")),
		"UTF-16BE without a mark": wide(binary.BigEndian, false, declared("utf-16")),
		"UTF-16, and says UTF-8":  wide(binary.LittleEndian, true, plain),
		"UTF-32":                  wider(binary.LittleEndian, declared("UTF-32")),
		"UTF-32BE":                wider(binary.BigEndian, declared("UTF-32")),
		"UTF-8, and says UTF-16":  append([]byte("\xef\xbb\xbf"), declared("UTF-16")...),
		"utf8":                    []byte(declared("utf8")),
		"ISO-8859-1": encode(t, charmap.ISO8859_1.NewEncoder(),
			declared("ISO-8859-1")),
		"latin1, single quotes": encode(t, charmap.ISO8859_1.NewEncoder(),
			strings.Replace(plain, `"UTF-8"`, "'latin1'", 1)),
		"windows-1252": encode(t, charmap.Windows1252.NewEncoder(),
			declared("windows-1252")),
		"macintosh": encode(t, charmap.Macintosh.NewEncoder(),
			declared("macintosh")),
		"Shift_JIS": encode(t, japanese.ShiftJIS.NewEncoder(),
			strings.Replace(declared("Shift_JIS"), "Büro ¥", "事務所", 1)),
		"US-ASCII": []byte(strings.Replace(declared("US-ASCII"), "Büro ¥",
			"Office", 1)),
		"binary": binaryList(top(dict{"PayloadIdentifier": "com.example.shipped",
			"PayloadDisplayName": "Büro ¥"},
			inner("com.apple.applicationaccess", "restrictions", dict{"PayloadVersion": 1.0}))),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := payload.ParseProfile(file)
			if err != nil {
				t.Fatal(err)
			}
			if p.Identifier != "com.example.shipped" || p.SubType != "deviceRestrictions" ||
				!strings.Contains("Büro ¥ Office 事務所", p.DisplayName) {
				t.Errorf("read %q, %q, %s", p.Identifier, p.DisplayName, p.SubType)
			}
			if want := map[string]string{"scope in lower case": "System",
				"scope in upper case": "User"}[name]; p.Scope != want {
				t.Errorf("scope %q, want %q", p.Scope, want)
			}
			if want := name == "removal disallowed by a number"; p.RemovalDisallowed != want {
				t.Errorf("removal disallowed: %v", p.RemovalDisallowed)
			}
		})
	}
}

// Values are those that Apple's own reader finds (CoreFoundation, CFPropertyList.c).
func TestValuesOfXMLLists(t *testing.T) {
	for text, want := range map[string]any{
		"<integer>0x1F</integer>": uint64(31), "<integer>-0x10</integer>": int64(-16),
		"<integer>+7</integer>":  uint64(7),
		"<integer>- 7</integer>": int64(-7), "<integer>\n 007</integer>": uint64(7),
		"<integer>-0</integer>":                   uint64(0),
		"<integer>18446744073709551615</integer>": uint64(math.MaxUint64),
		"<integer>-9223372036854775808</integer>": int64(math.MinInt64),
		"<real>+1e5</real>":                       1e5, "<real>.5</real>": 0.5,
		"<real>-2.</real>": -2.0,
		"<real>INF</real>": math.Inf(1), "<real>-inf</real>": math.Inf(-1),
		"<real>1e999</real>": math.Inf(1), "<real> 1</real>": 1.0,
		"<date>2031-02-03T04:05:06Z</date>": time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC),
		"<data>AQ ID\n</data>":              []byte{1, 2, 3}, "<data>AQ==</data>": []byte{1},
		"<data>AQI=</data>": []byte{1, 2}, "<data>A-Q_= =</data>": []byte{1},
		"<data></data>": []byte{}, "<data>AQIDB</data>": []byte{1, 2, 3},
		"<string>a&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</string>": "a<>&\"'A😀", "<string/>": "",
		"<string></string>": "",
		"<string><![CDATA[<&amp;>]]>&amp;<![CDATA[]]></string>": "<&amp;>&",
		"<string> a \r\n b </string>":                           " a \r\n b ",
		"<true/>":                                               true, "<false></false>": false,
		"<array/>": []any{},
		"<array><!-- x --><true /><dict/></array>": []any{true,
			dict{}},
		"<dict><key>a</key><integer>1</integer><key>a</key><integer>2</integer></dict>": dict{"a": uint64(2)},
		"<dict><key/><true/></dict>": dict{"": true}, "<plist><string>x</string></plist>": "x",
	} {
		got, err := propertylist.Decode([]byte("<plist><dict><key>v</key>" + text +
			"</dict></plist>"))
		if err != nil || !reflect.DeepEqual(got["v"], want) {
			t.Errorf("%s: %#v, %v; want %#v", text, got["v"], err, want)
		}
	}
}

func TestRefusedXMLLists(t *testing.T) {
	list := func(v string) string {
		return "<plist>\n<dict>\n <key>a</key>\n <array>" + v + "</array>\n</dict></plist>"
	}
	for file, want := range map[string]string{
		list("<integer></integer>"):                     `line 4, column 9 (a[0]): "" is not an integer`,
		list("<integer/>"):                              "line 4, column 9 (a[0]): <integer/> has no value",
		list("<true/><integer>1 2</integer>"):           `line 4, column 16 (a[1]): "1 2" is not an integer`,
		list("<integer>18446744073709551616</integer>"): "at most 64 bits",
		list("<integer>-9223372036854775809</integer>"): "at most 64 bits",
		list("<integer>0x</integer>"):                   "not an integer",
		list("<integer>1_0</integer>"):                  "not an integer",
		list("<integer>0b1</integer>"):                  "not an integer",
		list("<integer>++1</integer>"):                  "not an integer",
		list("<integer><!-- --></integer>"):             "not an integer",
		list("<integer>1<true/></integer>"):             "does not belong there",
		list("<real>1e</real>"):                         "not a real number",
		list("<real>0x1p3</real>"):                      "not a real number",
		list("<real/>"):                                 "has no value",
		list("<real>1_0.0</real>"):                      "not a real number",
		list("<date>2031-13-01T00:00:00Z</date>"):       "not a date",
		list("<date>2031-01-01</date>"):                 "not a date",
		list("<date/>"):                                 "has no value",
		list("<data/>"):                                 "has no value",
		list("<string>&nbsp;</string>"):                 `(a[0]): "&nbsp;" is none`,
		list("<string>&#0;</string>"):                   "control character U+0000",
		list("<string>&#xD800;</string>"):               "number of a character",
		list("<string>\x01</string>"):                   "line 4, column 9 (a[0]): the text of <string> has the control character U+0001",
		list("<string>\xff</string>"):                   "no character of its encoding",
		list("<string>a<b/></string>"):                  "does not belong there",
		list("<string><!-- c --></string>"):             "does not belong there",
		list("<string>a</key>"):                         "</key> where <string> of line 4, column 9 ends",
		list("<strong>"):                                "<strong> is no value of a property list",
		list("<>"):                                      "<> is no value",
		list("</dict>"):                                 "</dict> where <array>",
		list("<string><![CDATA[x</string>"):             "has no end", list("<!-- "): "has no end",
		list("<![CDATA[x]]>"):                       "a declaration inside",
		"<!DOCTYPE plist [<!ENTITY a 'b'> <plist/>": "no end", "<!ELEMENT a>": "no document type",
		"</plist>": "closes nothing",
		`<?xml version="1.0" encoding="x-klingon"?><plist/>`: `"x-klingon", which is not known`,
		`<?xml version="1.0" encoding="UTF-16"?><plist/>`:    "encoding UTF-16, and it is not",
		`<?xml version="1.0" encoding="US-ASCII"?>` +
			list("<string>ü</string>"): "no text in its encoding, US-ASCII",
		"\xff\xfe<\x00?\x00x\x00\x00\xd8": "no text in its encoding, UTF-16",
		"{a=1;}":                          "old form",
		"a = 1;":                          "neither", "": "neither", "<": "ends too early",
	} {
		if _, err := propertylist.Decode([]byte(file)); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: got %v, want %q", file, err, want)
		}
	}
}

// A binary property list can hold what nothing else can: it is refused with the place.
func TestControlCharactersInBinaryLists(t *testing.T) {
	for name, c := range map[string]struct {
		list dict
		want string
	}{
		"U+0000": {dict{"PayloadContent": []any{dict{},
			dict{"PayloadDisplayName": "Wi\x00Fi"}}},
			"PayloadContent[1].PayloadDisplayName: has the control character U+0000"},
		"U+0008": {dict{"a": dict{"b": "\b"}}, "a.b: has the control character U+0008"},
		"UTF-16": {dict{"a": "ü\x1b[31m"}, "a: has the control character U+001B"},
		"a key": {dict{"a": dict{"b\x07": true}},
			"the key has the control character U+0007"},
		"no character":      {dict{"a": "\uffff"}, "U+FFFF"},
		"text not of ASCII": {dict{"a": "\xff\xfe"}, "a: has a byte that is no character"},
	} {
		list := binaryList(c.list)
		if name == "text not of ASCII" {
			list = raw(0, []byte{0xd1, 0, 1, 0, 2}, []byte{0x51, 'a'}, []byte{0x52, 0xff, 0xfe})
		}
		_, err := propertylist.Decode(list)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < 0x20 }) {
			t.Errorf("%s: the message itself has a control character: %q", name, err)
		}
	}
	if _, err := propertylist.Decode(binaryList(dict{"a": "tab\tline\r\nü😀"})); err != nil {
		t.Error(err)
	}
}

// Nothing about a file takes much time or memory, whatever it is made of.
func TestHostileXMLListsAreBounded(t *testing.T) {
	const size = payload.MaxProfileSize
	fill := func(head, unit, tail string) []byte {
		return []byte(head + strings.Repeat(unit, (size-len(head)-len(tail))/len(unit)) + tail)
	}
	for name, file := range map[string][]byte{
		"empty dictionaries": fill("<plist><array>", "<dict/>", "</array></plist>"),
		"keys":               fill("<plist><dict>", "<key/><true/>", "</dict></plist>"),
		"comments":           fill("", "<!---->", "<plist><dict/></plist>"),
		"open comments":      fill("<plist>", "<!--", ""),
		"open tags":          fill("<plist>", "<", ""),
		"ampersands":         fill("<plist><string>", "&amp;", "</string></plist>"),
		"CDATA":              fill("<plist><string>", "<![CDATA[", "</string></plist>"),
		"brackets":           fill("<!DOCTYPE a [", "<!", "]><plist/>"),
		"lines":              fill("", "\r\n", "<plist><integer>x</integer></plist>"),
		"entities":           []byte(`<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><plist><dict><key>a</key><string>&b;</string></dict></plist>`),
		"UTF-16": wide(binary.LittleEndian, true,
			"<plist><string>"+strings.Repeat("€", size/2-40)+"</string></plist>"),
		"far path": fill("<plist><dict><key>PayloadContent</key><array>",
			"<dict><key>"+strings.Repeat("k", 60)+"</key><array/></dict>",
			"</array></dict></plist>"),
	} {
		t.Run(name,
			func(t *testing.T) { bounded(t, file, func() { _, _ = payload.ParseProfile(file) }) })
	}
}

// bounded holds a reader of a few megabytes at most to seconds, however busy the machine is, and to
// 24 bytes of memory for each one of the file.
func bounded(t *testing.T, file []byte, read func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	read()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20+24*uint64(len(file)) {
		t.Errorf("%d bytes took %d MiB", len(file), used>>20)
	}
}

func FuzzDecodePropertyList(f *testing.F) {
	f.Add([]byte(written("",
		"<key>a</key><real>nan</real><key>b</key><integer>-0x1</integer><key>c</key><date>2031-01-01T00:00:00Z</date>")))
	f.Add(wide(binary.LittleEndian, true, written("", "<key>d</key><data>AQ==</data>")))
	f.Add([]byte(`<?xml version="1.0" encoding="windows-1252"?><!DOCTYPE a [<!ENTITY b "c"> ]><dict><key>` + "\xe4" + `</key><string><![CDATA[x]]>&#65;</string></dict>`))
	f.Add(binaryList(dict{"a": []any{true, "ü", 1.5, dict{"k": []byte{1}}}}))
	f.Add(bytes.Repeat([]byte("<array>"), 1000))
	f.Fuzz(func(t *testing.T, list []byte) {
		var got dict
		var err error
		bounded(t, list, func() { got, err = propertylist.Decode(list) })
		if err != nil {
			if strings.Contains(err.Error(), "xml:") || strings.Contains(err.Error(), "plist:") ||
				strings.Contains(err.Error(), "strconv") {
				t.Fatalf("the words of a decoder: %v", err)
			}
			return
		}
		// What was read can be written, and is the same when it is read again.
		again, err := propertylist.Decode(xmlList(t, got))
		if err != nil {
			t.Fatalf("%v cannot be written again: %v", got, err)
		}
		if a, b := payload.ConfigurationRevision(got),
			payload.ConfigurationRevision(again); a != b {
			t.Fatalf("%#v became %#v", got, again)
		}
	})
}
