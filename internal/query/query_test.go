package query_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Letters beyond ASCII stay as they are: the databases would fold them in different ways.
func TestFold(t *testing.T) {
	for text, want := range map[string]string{"": "", "iPhone-AZ[@`09": "iphone-az[@`09",
		"ÄÖ İ \u212A": "ÄÖ İ \u212A", "a\xffB": "a\uFFFDb"} {
		if got := query.Fold(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
