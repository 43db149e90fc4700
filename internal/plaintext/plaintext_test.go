package plaintext_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

func FuzzCut(f *testing.F) {
	f.Add("", 5)
	f.Add("abcdef", 5)
	f.Add("äöüß…", 4)
	f.Add(strings.Repeat("写", 300), 256)
	f.Add("\xff\xfe\x00a", 3)
	f.Fuzz(func(t *testing.T, text string, most int) {
		if most < 4 || most > 10_000 {
			return
		}
		cut, bytes := plaintext.Cut(text, most), plaintext.CutBytes(text, most)
		if utf8.RuneCountInString(cut) > most || len(bytes) > most {
			t.Fatalf("%q is cut to %q and %q, more than %d", text, cut, bytes, most)
		}
		if utf8.ValidString(text) && (!utf8.ValidString(cut) || !utf8.ValidString(bytes)) {
			t.Fatalf("%q is cut within a character: %q, %q", text, cut, bytes)
		}
		for short, whole := range map[string]bool{cut: utf8.RuneCountInString(text) <= most,
			bytes: len(text) <= most} {
			body, marked := strings.CutSuffix(short, "…")
			if short != text && (!marked || !strings.HasPrefix(text, body) ||
				whole && cut != text && bytes != text) {
				t.Fatalf("%q becomes %q", text, short)
			}
		}
		stored := plaintext.Storable(text)
		if !plaintext.IsStorable(stored) || plaintext.IsStorable(text) && stored != text {
			t.Fatalf("%q is stored as %q", text, stored)
		}
	})
}

// steering are characters that no terminal or page may get, one of each kind.
const steering = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u2028\u2029\u0085\u009b\u007f\ufeff\u200b\U000e0041"

func TestOneLine(t *testing.T) {
	for _, r := range steering + "\x1b\x00\n\t\r" {
		if !plaintext.Steers(r) {
			t.Errorf("%U is shown", r)
		}
		if shown := plaintext.OneLine("a" + string(r) + "b"); strings.ContainsRune(shown, r) ||
			utf8.RuneCountInString(shown) != 3 {
			t.Errorf("%U is shown as %q", r, shown)
		}
	}
	for _, text := range []string{"Ada's iPhone", "写作", "👩\u200d💻", "می\u200cخواهم", "…"} {
		if shown := plaintext.OneLine(text); shown != text {
			t.Errorf("%q is shown as %q", text, shown)
		}
	}
	if shown := plaintext.OneLine("\x9b31m\xff"); strings.Contains(shown, "\x9b") ||
		strings.Contains(shown, "\xff") || !utf8.ValidString(shown) {
		t.Errorf("bytes of no character are shown as %q", shown)
	}
	if shown := plaintext.Lines("a\u202eb\nc\x1bd"); shown != "a\ufffdb\nc d" {
		t.Errorf("two lines are shown as %q", shown)
	}
}

func FuzzEscapeJSON(f *testing.F) {
	f.Add(`{"a` + steering + `":["` + steering + `"]}`)
	f.Add("{\n\t\"a\": \"\\u202e\"}")
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			return
		}
		escaped := plaintext.EscapeJSON([]byte(text))
		var before, after any
		if json.Unmarshal([]byte(text), &before) != nil || json.Unmarshal(escaped, &after) != nil ||
			!reflect.DeepEqual(before, after) {
			t.Fatalf("%s became %s", text, escaped)
		}
		if i := strings.IndexFunc(string(escaped), func(r rune) bool {
			return plaintext.Steers(r) && !strings.ContainsRune("\t\r\n", r)
		}); i >= 0 {
			t.Fatalf("%q is still in it", escaped[i:])
		}
	})
}

func TestEscapeHTML(t *testing.T) {
	for page, want := range map[string]string{
		"<p>a\u202eb</p>":                           "<p>a\ufffdb</p>",
		"<input value=\"\u200f1\"> \u200f1":         "<input value=\"\u200f1\"> \ufffd1",
		"<textarea>\u200f\n</textarea>\u2066<br>":   "<textarea>\u200f\n</textarea>\ufffd<br>",
		"plain, 写作 👩\u200d💻\n<b>&lt;\u202e&gt;</b>": "plain, 写作 👩\u200d💻\n<b>&lt;\ufffd&gt;</b>",
		"<textarea>\u202e":                          "<textarea>\u202e",
	} {
		if got := string(plaintext.EscapeHTML([]byte(page))); got != want {
			t.Errorf("%q became %q", page, got)
		}
	}
}
