package propertylist

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// textOf reads the text of t up to its end.
func (r *xmlReader) textOf(t tag) (string, error) {
	var text []byte
	for r.i < len(r.text) {
		rest := r.text[r.i:]
		switch {
		case rest[0] == '&':
			c, n := entity(rest)
			if n == 0 {
				name, _, _ := bytes.Cut(rest[:min(len(rest), 40)], []byte(";"))
				return "",
					r.fail(r.i,
						"%q is none of XML's own five entities and no number of a character; others are not read",
						clipped(string(name)+";"))
			}
			text = utf8.AppendRune(text, c)
			r.i += n
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			end := bytes.Index(rest, []byte("]]>"))
			if end < 0 {
				return "", r.fail(r.i, "what begins here has no end (]]>)")
			}
			text = append(text, rest[len("<![CDATA["):end]...)
			r.i += end + len("]]>")
		case rest[0] == '<':
			if reason := badText(string(text)); reason != "" {
				return "", r.fail(t.start, "the text of <%s> %s", t.name, reason)
			}
			return string(text), r.close(t)
		default:
			n := bytes.IndexAny(rest, "<&")
			if n < 0 {
				return "", r.tooShort()
			}
			text = append(text, rest[:n]...)
			r.i += n
		}
	}
	return "", r.tooShort()
}

// close reads the closing tag of t.
func (r *xmlReader) close(t tag) error {
	at := r.i
	if !bytes.HasPrefix(r.text[r.i:], []byte("</")) {
		return r.fail(at, "<%s> has something in it that does not belong there", t.name)
	}
	end, err := r.tag()
	if err == nil && end.name != t.name {
		err = r.fail(at, "</%.20s> where <%s> of %s ends", Printable(end.name), t.name,
			r.line(t.start))
	}
	return err
}

var entities = map[string]rune{"lt": '<', "gt": '>', "amp": '&', "apos": '\'', "quot": '"'}

// entity reads an entity and says how many bytes it has, 0 if it is none that is known.
func entity(b []byte) (c rune, n int) {
	const longest = len("&#x0010FFFF;")
	end := bytes.IndexByte(b[:min(len(b), longest)], ';')
	if end < 0 {
		return 0, 0
	}
	name := string(b[1:end])
	if c, ok := entities[name]; ok {
		return c, end + 1
	}
	number, ok := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(number, "x"); isHex {
		number, base = hex, 16
	}
	code, err := strconv.ParseUint(number, base, 21)
	if !ok || err != nil || code >= 0xd800 && code < 0xe000 || code > utf8.MaxRune {
		return 0, 0
	}
	return rune(code), end + 1
}

// clipped is a text from outside as a message shows it.
func clipped(s string) string {
	s = Printable(strings.ToValidUTF8(s, "\ufffd"))
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}
