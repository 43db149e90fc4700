package odata

import (
	"time"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// Clip keeps a caller's text in a message short.
func Clip(value string) string { return plaintext.Cut(value, 60) }

// TextOrNull is a text as served; an empty one is not known, and null.
func TextOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// NumberOrNull is a number as served; 0 stands for none, and is null.
func NumberOrNull(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// ListOrEmpty is a list as it is served: one that is missing is empty.
func ListOrEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// TextOrEmpty is a text that may be missing.
func TextOrEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Timestamp is a DateTimeOffset as served; the zero time is null.
func Timestamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	// .NET, and so PowerShell, reads no more than seven decimals.
	return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
}
