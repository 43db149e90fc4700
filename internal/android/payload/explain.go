package payload

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// firstRefusal is what is added to an HTTP status to be a code.
const firstRefusal = 4000

// byGoogle begins the words of a refusal.
const byGoogle = "Google answered"

// rowOf finds a row of the tables by its code.
func rowOf(code int64) (codeRow, bool) {
	for _, t := range codeTables {
		if i := code - t.first; i >= 0 && i < int64(len(t.rows)) {
			return t.rows[i], true
		}
	}
	return codeRow{}, false
}

// Explain finds the words for a failure: what its code means, and what to try; empty: there are
// none. Codes of the server's source are known by their number alone. A device's are known by
// their number and Google's name of it in the detail, since those of other platforms are the same
// numbers.
func Explain(code action.Code, detail string) (meaning, advice string) {
	detail, _, _ = strings.Cut(detail, action.DeviceHadSaid)
	row, ok := rowOf(code.Number)
	name := row.value
	if !ok {
		row, ok = refusalOf(code.Number - firstRefusal)
		name = byGoogle
	}
	if !ok || code.Source != action.ByServer && !hasWord(detail, name) {
		return "", ""
	}
	return row.meaning, row.advice
}

// refusalOf finds the words for an HTTP status.
func refusalOf(status int64) (codeRow, bool) {
	if status < 400 || status > 599 {
		return codeRow{}, false
	}
	if row, ok := refusals[int(status)]; ok {
		return row, true
	}
	if status >= 500 {
		return refusals[500], true
	}
	return refusals[499], true
}

// hasWord reports whether a text has a word, and not only as a part of another one.
func hasWord(text, word string) bool {
	for rest := text; word != ""; {
		before, after, ok := strings.Cut(rest, word)
		if !ok {
			return false
		}
		if !inName(before, len(before)-1) && !inName(after, 0) {
			return true
		}
		rest = after
	}
	return false
}

// inName reports whether a text has a letter of Google's names at a place.
func inName(text string, at int) bool {
	if at < 0 || at >= len(text) {
		return false
	}
	b := text[at]
	return b == '_' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

// Refusal says what an answer of Google's means that is no success: its code is 4000 and the HTTP
// status. retriable says that the same request may succeed later, as of 429 and 5xx. text is
// Google's own.
func Refusal(status int, text string) (code int64, retriable bool, words string) {
	row, ok := refusalOf(int64(status))
	words = fmt.Sprintf("%s %d %s", byGoogle, status, http.StatusText(status))
	if text = shortened(text, maxGoogleText); text != "" {
		words += ": " + text
	}
	return firstRefusal + int64(status), !ok || row.verdict == Working, words
}

// maxGoogleText is the most characters of Google's own words that go into a detail.
const maxGoogleText = 500

func shortened(text string, most int) string {
	runes := []rune(strings.TrimSpace(text))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most]) + "…"
}
