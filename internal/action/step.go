package action

import "strings"

// Step is how far the work on one payload of an action has come. Programs read it; a result's
// detail is for people alone.
type Step uint8

// The steps of a result. Not every result takes each, and some take one several times.
const (
	// NoStep is the step of a result that was stored before steps were kept. InferStep finds it
	// out.
	NoStep Step = iota
	// StepAsked: an action names the payload, and nothing was handed over for it yet.
	StepAsked
	// StepUnwakeable: as StepAsked, and the device cannot be woken; it is reached when it connects
	// by itself.
	StepUnwakeable
	// StepHandedOver: it is in the document that was handed over for the device, which has not
	// taken it yet.
	StepHandedOver
	// StepSent: the device was handed the command and has not answered.
	StepSent
	// StepReplacing: the device was handed what takes this payload's place, and this one leaves
	// with it.
	StepReplacing
	// StepNotNow: the device postponed the command; it gets it again when it comes back.
	StepNotNow
	// StepFailing: a try failed, and there will be another.
	StepFailing
	// StepAcknowledged: the device took the command, and nothing has shown yet what became of it.
	StepAcknowledged
	// StepSettling: the device took the command, and is still working on it.
	StepSettling
	// StepVerified: the device was seen to have, or not to have, what was asked. Final.
	StepVerified
	// StepFailed: it ended in error; the result's code says why. Final.
	StepFailed
)

// Final reports whether nothing comes after this step.
func (s Step) Final() bool { return s >= StepVerified }

// open is the status of a result that has come as far as this and has not ended.
func (s Step) open() Status {
	if s <= StepHandedOver {
		return Initiated
	}
	return InProgress
}

// InferStep sets the step of a result that was stored before steps were kept, from what was stored
// with it. It is the only reader of a detail, and the sentences it knows are those of that time.
func (r *Result) InferStep() {
	if r.Step == NoStep {
		r.Step = inferredStep(r.Status, r.Detail)
	}
}

func inferredStep(status Status, detail string) Step {
	switch {
	case status == Error:
		return StepFailed
	case status.Final():
		return StepVerified
	case status == Initiated && strings.HasPrefix(detail, "the device cannot be woken"):
		return StepUnwakeable
	case status == Initiated:
		return StepAsked
	case strings.HasPrefix(detail, "acknowledged"):
		return StepAcknowledged
	case strings.HasPrefix(detail, "attempt"):
		return StepFailing
	case strings.HasPrefix(detail, "the device said not now"):
		return StepNotNow
	case strings.HasPrefix(detail, "what comes in its place"):
		return StepReplacing
	case detail == "", strings.HasPrefix(detail, "sent"):
		return StepSent
	default: // what the device says of its own work
		return StepSettling
	}
}

// InferSteps infers the steps of all results of an action that was stored before steps were kept.
func (a *Action) InferSteps() {
	for i := range a.Results {
		a.Results[i].InferStep()
	}
}
