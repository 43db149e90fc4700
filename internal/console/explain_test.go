package console

import (
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		code         int64
		detail, want string
	}{
		{action.CodeNotVerified, "removal acknowledged, but the device still shows it; the device had said: MDMClientError 89: Profile not found",
			"does not show the result"},
		{action.CodeSuperseded, "superseded by a later action of help desk", "A later action took the place"},
		{action.CodeUnenrolled, "the device left management", "left management, was wiped"},
		{action.CodeNotSupported, "user enrollment", "cannot do this"},
		{action.CodeNotVerified, "gave up after 5 attempts: removal acknowledged, but the device still shows it", "does not show the result"},
		{action.CodeNoCode, "the device gave no reason", "gave no code"},
		{action.CodeNoCode, "UserRejected: the user rejected the installation", "user declined the installation"},
		{action.CodeNoCode, "gave up after 5 attempts: ManagedButUninstalled: the user removed the app", "user has removed it"},
		{4009, "MCInstallationErrorDomain 4009: The device is locked.", "The device is locked"},
		{12036, "MDMErrorDomain 12036: no; RejectionReason x", "cannot be removed in its present state"},
		{12036, "gave up after 2 attempts: MCMDMErrorDomain 12036: no", "cannot be removed in its present state"},
		{89, "MDMClientError 89: Profile not found", "The Mac does not have"},
		{-1001, "NSURLErrorDomain -1001: The request timed out.", "did not answer in time"},
		// The first link says that it failed, the last one why.
		{4001, "MCInstallationErrorDomain 4001: Profile Installation Failed; MCProfileErrorDomain 1004: Bad signature", "signature is not valid"},
		{4001, "MCInstallationErrorDomain 4001: Failed; MCWiFiErrorDomain 13999: x", "Wi-Fi settings"},
		{4001, "MCInstallationErrorDomain 4001: Failed; AnotherDomain 1: x", "could not install the profile"},
		{12999, "MCMDMErrorDomain 12999: x", "refused the command"},
		{7, "SomethingErrorDomain 7: x", "no words for"},
		{99999999999, "", "no words for"},
	} {
		e := explain(tt.code, "", tt.detail)
		if !strings.Contains(e.Meaning, tt.want) || e.Advice == "" || e.Own != tt.detail {
			t.Errorf("%d %q: %+v; want %q", tt.code, tt.detail, e, tt.want)
		}
	}
}

// A device's code of the same number is not the server's.
func TestDevicesCodesAreNotTheServers(t *testing.T) {
	for code := action.CodeNoCode; code < 0; code++ {
		if e := explain(code, byDevice, "SomethingErrorDomain -1: x"); !strings.Contains(e.Meaning, "no words for") {
			t.Errorf("a device's code %d: %+v", code, e)
		}
		if e := explain(code, "server", ""); e.Meaning != ownCodes[code].meaning {
			t.Errorf("the server's code %d: %+v", code, e)
		}
	}
}

// Every code of the server's own has words.
func TestOwnCodesAreExplained(t *testing.T) {
	for code := action.CodeNoCode; code < 0; code++ {
		if a := ownCodes[code]; a.meaning == "" || a.try == "" {
			t.Errorf("code %d has no words", code)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add(int64(4001), "MCInstallationErrorDomain 4001: x; MCProfileErrorDomain 1004: y")
	f.Add(action.CodeNoCode, "UserRejected: x")
	f.Add(int64(0), "ADomain -999999999999999999: ")
	f.Fuzz(func(t *testing.T, code int64, detail string) {
		defer cost.Input(t)()
		if e := explain(code, byDevice, detail); e.Meaning == "" || e.Advice == "" || e.Own != detail {
			t.Errorf("%d of a device, %q: %+v", code, detail, e)
		}
		if e := explain(code, "", detail); e.Meaning == "" || e.Advice == "" || e.Own != detail {
			t.Errorf("%d %q: %+v", code, detail, e)
		}
	})
}
