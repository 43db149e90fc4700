package mdm

import (
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// Nothing is said of what a device did not say, and of what it said what is most exact.
func TestExplain(t *testing.T) {
	server := func(code int64) action.Code {
		return action.Code{Number: code, Source: action.ByServer}
	}
	device := func(code int64) action.Code {
		return action.Code{Number: code, Source: action.ByDevice}
	}
	for _, tt := range []struct {
		code         action.Code
		detail, want string // an empty want: there are no words
	}{
		{server(action.CodeNotVerified),
			"removal acknowledged, but the device still shows it; the device had said: MDMClientError 89: Profile not found", ""},
		{server(action.CodeNotVerified),
			"gave up after 5 attempts: removal acknowledged, but the device still shows it", ""},
		{server(action.CodeNoCode), "the device gave no reason", ""},
		{server(action.CodeNoCode), "UserRejected: the user rejected the installation",
			"user declined the installation"},
		{server(action.CodeNoCode),
			"gave up after 5 attempts: ManagedButUninstalled: the user removed the app",
			"user has removed it"},
		{device(action.CodeNoCode), "UserRejected: x", ""},
		{device(4009), "MCInstallationErrorDomain 4009: The device is locked.",
			"The device is locked"},
		{device(12036), "MDMErrorDomain 12036: no; RejectionReason x",
			"cannot be removed in its present state"},
		{device(12036), "gave up after 2 attempts: MCMDMErrorDomain 12036: no",
			"cannot be removed in its present state"},
		{device(89), "MDMClientError 89: Profile not found", "The Mac does not have"},
		{device(-1001), "NSURLErrorDomain -1001: The request timed out.", "did not answer in time"},
		// The first link says that it failed, the last one why.
		{device(4001),
			"MCInstallationErrorDomain 4001: Profile Installation Failed; MCProfileErrorDomain 1004: Bad signature", "signature is not valid"},
		{device(4001), "MCInstallationErrorDomain 4001: Failed; MCWiFiErrorDomain 13999: x",
			"Wi-Fi settings"},
		{device(4001), "MCInstallationErrorDomain 4001: Failed; AnotherDomain 1: x",
			"could not install the profile"},
		{device(12999), "MCMDMErrorDomain 12999: x", "refused the command"},
		{device(7), "SomethingErrorDomain 7: x", ""},
		{device(99999999999), "", ""},
	} {
		meaning, advice := Explain(tt.code, tt.detail)
		if !strings.Contains(meaning, tt.want) || (tt.want == "") != (meaning == "") ||
			(meaning == "") != (advice == "") {
			t.Errorf("%v %q: %q, %q; want %q", tt.code, tt.detail, meaning, advice, tt.want)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add(int64(4001), "MCInstallationErrorDomain 4001: x; MCProfileErrorDomain 1004: y")
	f.Add(action.CodeNoCode, "UserRejected: x")
	f.Add(int64(0), "ADomain -999999999999999999: ")
	f.Fuzz(func(t *testing.T, code int64, detail string) {
		defer cost.Input(t)()
		for _, source := range []action.Source{action.ByServer, action.ByDevice} {
			meaning, advice := Explain(action.Code{Number: code, Source: source}, detail)
			if (meaning == "") != (advice == "") {
				t.Errorf("%d by %d, %q: %q, %q", code, source, detail, meaning, advice)
			}
		}
	})
}
