package tolerant

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"howett.net/plist"
)

func doc(inside string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "x"><plist version="1.0"><dict>` +
		inside + `</dict></plist>`)
}

func TestValues(t *testing.T) {
	odd := func(v any) bool { _, is := v.(Odd); return is }
	for text, want := range map[string]any{
		"<string>a&amp;b&#33;&#x21;<![CDATA[<c>]]><!-- no --></string>": "a&b!!<c>",
		"<string>a\x00b\x08c&#0;&#8;d\xffe</string>":                    "a\uFFFDb\uFFFDc\uFFFD\uFFFDd\uFFFDe",
		"<string>&unknown; & &#xD800; &#99999999999;</string>":          "&unknown; & \uFFFD \uFFFD",
		"<string/>": "", "<integer> 7\n</integer>": uint64(7), "<integer>-7</integer>": int64(-7),
		"<integer>+7</integer>":   uint64(7),
		"<integer>0x1F</integer>": uint64(31), "<integer>-0x1f</integer>": int64(-31),
		"<integer>18446744073709551615</integer>": uint64(math.MaxUint64),
		"<integer>-9223372036854775808</integer>": int64(math.MinInt64),
		"<integer>-0</integer>":                   uint64(0),
		"<integer>18446744073709551616</integer>": Odd{},
		"<integer>-9223372036854775809</integer>": Odd{}, "<integer/>": Odd{},
		"<integer>seven</integer>": Odd{}, "<real>1.5</real>": 1.5, "<real>x</real>": Odd{},
		"<true/>": true, "<false></false>": false,
		"<data>AQID\n BA==</data>": []byte{1, 2, 3, 4}, "<data>!A?QIDBA</data>": []byte{1, 2, 3, 4},
		"<data>?</data>":                    []byte{},
		"<date>2026-01-02T03:04:05Z</date>": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"<date>today</date>":                Odd{},
		"<array><integer>1</integer><foo><bar/></foo><true/></array>": List{uint64(1), Odd{},
			true},
		"<dict><key>a</key><key>b</key><true/><false/></dict>": Dict{"a": Odd{},
			"b": true},
		"<dict><key>a</key><true/><key>a</key><false/></dict>":           Dict{"a": false},
		"<array></string></foo><true/></array>":                          List{true},
		"<dict><key>a</key><array><true/></dict>":                        Dict{"a": Cut{Value: List{true}}},
		strings.Repeat("<array>", 100) + strings.Repeat("</array>", 100): nil,
	} {
		root, _ := Read(doc("<key>x</key>"+text+"<key>y</key><true/>"), nil)
		if root["y"] != true {
			t.Errorf("%.60q: what follows is %v", text, root["y"])
		}
		got := simple(root["x"])
		switch {
		case want == nil:
		case odd(want) && !odd(root["x"]):
			t.Errorf("%q is %#v, want it to be odd", text, root["x"])
		case !odd(want) && !reflect.DeepEqual(got, simple(want)):
			t.Errorf("%q is %#v, want %#v", text, got, want)
		}
	}
}

// simple is a value without the reasons why something is odd.
func simple(v any) any {
	switch v := v.(type) {
	case Odd:
		return Odd{}
	case Cut:
		return Cut{Value: simple(v.Value)}
	case Dict:
		d := Dict{}
		for k, one := range v {
			d[k] = simple(one)
		}
		return d
	case List:
		l := List{}
		for _, one := range v {
			l = append(l, simple(one))
		}
		return l
	}
	return v
}

func TestEncodings(t *testing.T) {
	utf16Of := func(order binary.AppendByteOrder, text string) []byte {
		var b []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, unit)
		}
		return b
	}
	utf32Of := func(order binary.AppendByteOrder, text string) []byte {
		var b []byte
		for _, r := range text {
			b = order.AppendUint32(b, uint32(r))
		}
		return b
	}
	text := string(doc("<key>n</key><string>Jörg’s 📱</string>"))
	for name, b := range map[string][]byte{
		"plain": []byte(text), "mark": []byte("\ufeff" + text),
		"UTF-16LE":                utf16Of(binary.LittleEndian, "\ufeff"+text),
		"UTF-16BE":                utf16Of(binary.BigEndian, "\ufeff"+text),
		"UTF-16LE without a mark": utf16Of(binary.LittleEndian, text),
		"UTF-16BE without a mark": utf16Of(binary.BigEndian, text),
		"UTF-32LE":                utf32Of(binary.LittleEndian, "\ufeff"+text),
		"UTF-32BE":                utf32Of(binary.BigEndian, "\ufeff"+text),
	} {
		if root, damage := Read(b, nil); root["n"] != "Jörg’s 📱" || damage != "" {
			t.Errorf("%s: %v, %s", name, root, damage)
		}
	}
	latin := []byte("<?xml version='1.0' encoding='ISO-8859-1'?><plist><dict><key>n</key><string>J\xf6rg</string></dict></plist>")
	if root, _ := Read(latin, nil); root["n"] != "Jörg" {
		t.Errorf("ISO-8859-1: %v", root)
	}
	unknown := bytes.Replace(latin, []byte("ISO-8859-1"), []byte("nonsense"), 1)
	if root, _ := Read(unknown, nil); root["n"] != "J\uFFFDrg" {
		t.Errorf("an encoding that nobody knows: %v", root)
	}
}

// However a list ends too early, what came before is read, and no list is taken for whole that is
// not.
func TestCutDocuments(t *testing.T) {
	whole := string(doc(`<key>CommandUUID</key><string>1</string><key>L</key><array><dict><key>a</key><string>b</string></dict>` +
		`<dict><key>a</key><string>c</string></dict></array><key>Status</key><string>Acknowledged</string>`))
	for n := range len(whole) {
		root, damage := Read([]byte(whole[:n]), nil)
		if list, ok := root["L"].(List); ok && len(list) != 2 {
			t.Fatalf("after %d bytes the list is %v", n, list)
		}
		if at := strings.Index(whole, "<key>L"); n > at && root["CommandUUID"] != "1" {
			t.Fatalf("after %d bytes the first member is %v", n, root["CommandUUID"])
		}
		if damage == "" && n < len(whole)-len("</plist>") {
			t.Fatalf("after %d bytes nothing is wrong", n)
		}
	}
}

func TestWanted(t *testing.T) {
	b := doc(`<key>a</key><true/><key>b</key><dict><key>c</key><true/><key>d</key><true/></dict><key>e</key><array><dict><key>c</key>` +
		`<string>1</string><key>d</key><string>a</key></string></dict></array><key>f</key><dict><key>any</key><dict><key>g</key><true/></dict></dict>`)
	got, _ := Read(b, Wanted{"b": {"c": nil}, "e": {"c": nil}, "f": {"*": {"g": nil}}})
	want := Dict{"b": Dict{"c": true}, "e": List{Dict{"c": "1"}}, "f": Dict{"any": Dict{"g": true}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

// What another reader and writer of property lists writes is read the same from both of its forms.
func TestBinary(t *testing.T) {
	want := Dict{"text": "Jörg", "plain": "a", "list": List{uint64(1), int64(-1), 2.5, true},
		"data": []byte{1, 2}, "dict": Dict{"a": Dict{}},
		"at": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "large": uint64(math.MaxUint64),
		"least": int64(math.MinInt64)}
	for _, format := range []int{plist.BinaryFormat, plist.XMLFormat} {
		b, err := plist.Marshal(want, format)
		if err != nil {
			t.Fatal(err)
		}
		if got, damage := Read(b, nil); !reflect.DeepEqual(got, want) || damage != "" {
			t.Errorf("format %d: %v, %s", format, got, damage)
		}
		got, _ := Read(b, Wanted{"text": nil, "list": nil})
		if !reflect.DeepEqual(got, Dict{"text": want["text"], "list": want["list"]}) {
			t.Errorf("format %d, what is wanted: %v", format, got)
		}
	}
}

// bomb is a binary list of dictionaries that each hold the next one many times.
func bomb(levels, width int) []byte {
	b := []byte("bplist00")
	var offsets []int
	object := func(marker byte, refs ...byte) {
		offsets = append(offsets, len(b))
		b = append(append(b, marker), refs...)
	}
	for i := range levels {
		marker, refs := byte(0xa0|0xf), []byte{0x10, byte(width)}
		if i == 0 {
			marker = 0xd0 | 0xf
			refs = append(refs, bytes.Repeat([]byte{byte(levels)}, width)...)
		}
		object(marker, append(refs, bytes.Repeat([]byte{byte(i+1) % byte(levels)}, width)...)...)
	}
	object(0x51, 'k')
	table := len(b)
	for _, at := range offsets {
		b = binary.BigEndian.AppendUint16(b, uint16(at))
	}
	trailer := make([]byte, 32)
	trailer[6], trailer[7] = 2, 1
	binary.BigEndian.PutUint64(trailer[8:], uint64(len(offsets)))
	binary.BigEndian.PutUint64(trailer[24:], uint64(table))
	return append(b, trailer...)
}

func hostile() map[string][]byte {
	return map[string][]byte{
		"shared references": bomb(20, 100), "a loop": bomb(1, 200),
		"many values": doc("<key>x</key><array>" + strings.Repeat("<true/>", 1<<20) +
			"</array>"),
		"many dictionaries": doc("<key>x</key><array>" +
			strings.Repeat("<dict><key>a</key><string>b</string></dict>", 1<<17) + "</array>"),
		"many members":      doc(strings.Repeat("<key>a</key><dict/>", 1<<18)),
		"deep":              doc("<key>x</key>" + strings.Repeat("<array>", 1<<20)),
		"deep, passed over": doc("<true/>" + strings.Repeat("<dict>", 1<<20)),
		"ends of nothing":   doc("<key>x</key><array>" + strings.Repeat("</dict></foo>", 1<<19)),
		"open tags":         doc(strings.Repeat("<", 1<<22)),
		"declarations":      doc(strings.Repeat("<!>", 1<<21)),
		"open declarations": doc(strings.Repeat("<![>", 1<<21)),
		"open comments":     doc(strings.Repeat("<!--", 1<<21)),
		"entities":          doc("<key>x</key><string>" + strings.Repeat("&", 1<<22) + "</string>"),
		"references": doc("<key>x</key><string>" + strings.Repeat("&#0;", 1<<21) +
			"</string>"),
		"CDATA": doc("<key>x</key><string>" + strings.Repeat("<![CDATA[", 1<<20) +
			"</string>"),
		"open strings":    doc(strings.Repeat("<key>x</key><string>", 1<<18)),
		"long key":        doc("<key>" + strings.Repeat("k", 1<<22) + "</key><true/>"),
		"UTF-16":          append([]byte("\xff\xfe"), bytes.Repeat([]byte("<\x00"), 1<<21)...),
		"spaces in a tag": doc("<" + strings.Repeat(" ", 1<<22) + ">"),
	}
}

// within runs do in a bounded time and with a bounded amount of memory, both generous for a slow
// machine.
func within(t *testing.T, name string, size int, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	do()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if most := 2*time.Second + time.Duration(size)*2*time.Microsecond; took > most {
		t.Errorf("%s: %d bytes took %s", name, size, took)
	}
	if used, most := after.TotalAlloc-before.TotalAlloc, uint64(64<<20+24*size); used > most {
		t.Errorf("%s: %d bytes took %d MB", name, size, used>>20)
	}
}

func TestBounds(t *testing.T) {
	for name, b := range hostile() {
		within(t, name, len(b), func() { Read(b, nil) })
		within(t, name, len(b), func() { Read(b, Wanted{"Status": nil}) })
	}
	// What may be kept is used up by one member, and the members behind it are read all the same.
	b := doc("<key>x</key><array>" + strings.Repeat("<true/>", maxNodes) +
		"</array><key>Status</key><string>Idle</string>")
	root, _ := Read(b, Wanted{"x": nil, "Status": nil})
	if _, cut := root["x"].(Cut); !cut {
		t.Errorf("a list that is too long is %T", root["x"])
	}
}

func FuzzRead(f *testing.F) {
	f.Add(doc(`<key>Status</key><string>Idle&#0;</string><key>L</key><array><dict/><integer>0x1</integer></array>`))
	f.Add(doc(`<key>a</key><array><true/></dict><key>b`))
	f.Add(bomb(4, 3))
	f.Add([]byte("\xff\xfe<\x00"))
	for _, format := range []int{plist.BinaryFormat, plist.XMLFormat} {
		b, _ := plist.Marshal(Dict{"a": List{"b", uint64(1), []byte{1}}, "c": 1.5,
			"d": time.Unix(0, 0)}, format)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		within(t, fmt.Sprintf("%.40q", b), len(b), func() {
			root, _ := Read(b, nil)
			var count func(v any, depth int) int
			count = func(v any, depth int) (n int) {
				if depth > maxDepth+1 {
					t.Fatal("nested too deep")
				}
				switch v := Part(v).(type) {
				case Dict:
					for k, one := range v {
						if clean(k) != k {
							t.Fatalf("a key is %q", k)
						}
						n += count(one, depth+1)
					}
				case List:
					for _, one := range v {
						n += count(one, depth+1)
					}
				case string:
					if clean(v) != v {
						t.Fatalf("a text is %q", v)
					}
				}
				return n + 1
			}
			if n := count(root, 1); n > 2*maxNodes {
				t.Fatalf("%d values", n)
			}
			Read(b, Wanted{"Status": nil})
		})
	})
}
