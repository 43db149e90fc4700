package action_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// A result that was stored before there were steps gets the one that its status and words meant;
// one that has a step keeps it.
func TestInferSteps(t *testing.T) {
	const unwakeable = "the device cannot be woken, and this waits until it connects by itself: x"
	for _, tt := range []struct {
		status action.Status
		detail string
		want   action.Step
	}{
		{action.Initiated, "", action.StepAsked},
		{action.Initiated, "sent to the device", action.StepAsked},
		{action.Initiated, unwakeable, action.StepUnwakeable},
		{action.InProgress, unwakeable, action.StepSettling},
		{action.InProgress, "", action.StepSent},
		{action.InProgress, "sent to the device", action.StepSent},
		{action.InProgress, "what comes in its place was sent to the device", action.StepReplacing},
		{action.InProgress, "the device said not now; later", action.StepNotNow},
		{action.InProgress, "attempt 1 of 5 failed: busy (code 42)", action.StepFailing},
		{action.InProgress, "acknowledged, verifying", action.StepAcknowledged},
		{action.InProgress, "Installing", action.StepSettling},
		{action.Removed, "attempt", action.StepVerified},
		{action.Succeeded, "", action.StepVerified},
		{action.Error, "sent nowhere", action.StepFailed},
	} {
		known := action.StepReplacing
		a := action.Action{Results: []action.Result{{Status: tt.status, Detail: tt.detail},
			{Status: tt.status, Detail: tt.detail, Step: known}}}
		a.InferSteps()
		if got := a.Results[0].Step; got != tt.want {
			t.Errorf("status %d, %q: step %d, want %d", tt.status, tt.detail, got, tt.want)
		}
		if got := a.Results[1].Step; got != known {
			t.Errorf("status %d, %q: step %d became %d", tt.status, tt.detail, known, got)
		}
	}
}
