package graph

import (
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// The server's own codes have words, a device's codes of the same numbers do not have these, and
// what a platform knows of a failure says more.
func TestOwnCodesAreExplained(t *testing.T) {
	mute := explained(nil)
	platform := explained(func(code action.Code, detail string) (string, string) {
		if detail != "known" {
			return "", ""
		}
		return "the platform's words", "the platform's advice"
	})
	for code := action.CodeNoCode; code < 0; code++ {
		server, device := action.Code{Number: code, Source: action.ByServer},
			action.Code{Number: code, Source: action.ByDevice}
		for _, x := range []explainer{mute, platform} {
			if meaning, advice := x(server, ""); meaning == "" || advice == "" {
				t.Errorf("code %d has no words", code)
			}
			if meaning, advice := x(device, ""); meaning+advice != "" {
				t.Errorf("a device's code %d: %q, %q", code, meaning, advice)
			}
		}
		if meaning, _ := platform(server, "known"); meaning != "the platform's words" {
			t.Errorf("code %d, which the platform knows: %q", code, meaning)
		}
	}
}

// A failure is annotated in Graph's results, and nothing else is.
func TestFailuresAreAnnotated(t *testing.T) {
	for code, want := range map[action.Code]string{
		{}:                                   "",
		{Number: 7, Source: action.ByDevice}: "source",
		{Number: action.CodeUnenrolled, Source: action.ByServer}: "source meaning advice",
	} {
		var got []string
		for _, f := range withFailure(odata.Fields{{"errorCode", code.Number}}, code, "x",
			explained(nil)) {
			if name, ok := strings.CutPrefix(f.Name, "errorCode@syncpayloads."); ok {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v: %q, want %q", code, got, want)
		}
	}
}
