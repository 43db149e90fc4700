package graph

import (
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// unknownFutureValue stands for a member that an enumeration does not have.
const unknownFutureValue = "unknownFutureValue"

// clip keeps a caller's text in a message short.
func clip(value string) string { return plaintext.Cut(value, 60) }

// textOrNull is a text as served; an empty one is not known, and null.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func numberOrNull(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// listOf is a list as it is served: one that is missing is empty.
func listOf(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// timestamp is a DateTimeOffset as served; the zero time is null.
func timestamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	// .NET, and so PowerShell, reads no more than seven decimals.
	return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
}

// lower is an id as it is stored: callers may write its letters in either case.
func lower(id string) string { return strings.ToLower(id) }
