// Package plaintext makes texts from outside harmless: short enough to be kept, and unable to steer
// what shows them.
package plaintext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mark stands where a text was cut.
const mark = "…"

// Cut returns a text of at most so many characters. A longer one is cut at a character and marked
// at its end.
func Cut(text string, characters int) string {
	if len(text) <= characters || utf8.RuneCountInString(text) <= characters {
		return text
	}
	n := 0
	for i := range text {
		if n++; n == characters { // the mark is a character, too
			return text[:i] + mark
		}
	}
	return ""
}

// First returns the first so many characters of a text, without a mark.
func First(text string, characters int) string {
	for i := range text {
		if characters == 0 {
			return text[:i]
		}
		characters--
	}
	return text
}

// CutBytes returns a text of at most so many bytes, which are more than the mark's three. A longer
// one is cut at a character and marked at its end.
func CutBytes(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	end := bytes - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}

// Storable returns a text that every database and every JSON reader takes: what is no UTF-8, and
// the character NUL, become U+FFFD.
func Storable(text string) string {
	if IsStorable(text) {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// IsStorable reports whether a text is UTF-8 without the character NUL.
func IsStorable(text string) bool {
	return strings.IndexByte(text, 0) < 0 &&
		utf8.ValidString(text)
}

// Steers reports whether a character moves other characters about in place of being seen: control
// characters, those that turn the direction of writing (Unicode Standard Annex 9), those that end
// lines, and other invisible ones. The joiners, without which some scripts and emoji fall apart, do
// not.
func Steers(r rune) bool {
	switch r {
	case '\u200c', '\u200d': // zero width non-joiner and joiner
		return false
	case '\u2028', '\u2029': // line and paragraph separator
		return true
	}
	return r < utf8.RuneSelf && (r < ' ' || r == 0x7f) ||
		r >= utf8.RuneSelf && unicode.In(r, unicode.Cc, unicode.Cf)
}

// OneLine returns a text as a terminal can show it in one line: in place of what breaks lines or
// controls it comes a space, in place of what turns the direction of writing, or is invisible, or
// no character, U+FFFD.
func OneLine(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case !Steers(r):
			return r
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		default:
			return utf8.RuneError
		}
	}, text)
}

// Lines is OneLine for each line of a text.
func Lines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = OneLine(line)
	}
	return strings.Join(lines, "\n")
}
