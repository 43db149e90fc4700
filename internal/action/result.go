package action

import (
	"slices"
	"time"
)

// Action is one call of syncPayloads or changeAssignments on a device, with its live result.
type Action struct {
	ID           ActionID
	Number       int64 // grows with each action of the device
	Name         Name
	Actor        string
	Set          []PayloadID   // what the call declared to be off the device
	RestoreAfter time.Duration // 0: never
	State        State
	Started      time.Time
	Updated      time.Time // when State last changed
	Results      []Result
}

// Result is one payload's line in an action's result.
type Result struct {
	Payload     PayloadID
	Type        PayloadType
	DisplayName string
	SubType     string
	Intent      Intent
	Status      Status
	Step        Step   `json:",omitempty"` // how far it has come
	Detail      string // for people: what is going on, or why it failed
	Code        int64  // 0: no failure
	Source      Source `json:",omitempty"` // of Code; see WhoseCode
	// of CodeInPlace: what has this one's place on the device
	InPlace      PayloadID `json:",omitempty"`
	InPlaceName  string    `json:",omitempty"` // its display name
	LastAction   time.Time
	LastModified time.Time
}

const (
	detailVerifying  = "acknowledged, verifying"
	detailUnassigned = "not restored: its assignment ended while it was removed"
)

// WhoseCode is the result's code and whose it is.
func (r *Result) WhoseCode() Code { return CodeOf(r.Code, r.Source) }

// reportStep writes how far a payload has come into the action in force. A final result, and a
// final action, never change. What the device took before stays in progress, whatever is handed
// over for it next.
func (d *Device) reportStep(env Env, id PayloadID, step Step, detail string) {
	r := d.Action.open(id)
	if r == nil {
		return
	}
	r.set(env, max(r.Status, step.open()), step, Code{}, detail)
}

// reportEnd writes how the work on a payload ended into the action in force, and ends the action
// with its last payload.
func (d *Device) reportEnd(env Env, id PayloadID, status Status, code Code, detail string) {
	r := d.Action.open(id)
	if r == nil {
		return
	}
	step := StepVerified
	if status == Error {
		step = StepFailed
	}
	r.set(env, status, step, code, detail)
	d.Action.endIfDone(env)
}

// set changes what a result says; one that says so already keeps its time.
func (r *Result) set(env Env, status Status, step Step, code Code, detail string) {
	if r.Status == status && r.Step == step && r.WhoseCode() == code && r.Detail == detail {
		return
	}
	r.Status = status
	r.Step = step
	r.Code = code.Number
	r.Source = code.Source
	r.Detail = detail
	r.LastModified = env.Now
}

func (a *Action) endIfDone(env Env) {
	failed := false
	for _, r := range a.Results {
		if !r.Status.Final() {
			return
		}
		failed = failed || r.Status == Error
	}
	state := Done
	if failed {
		state = Failed
	}
	a.move(env, state)
}

func (a *Action) move(env Env, state State) {
	if a.State != state && !a.State.Final() {
		a.State, a.Updated = state, env.Now
	}
}

// end closes an action that did not come to its own end, and every payload of it that had not.
func (a *Action) end(env Env, state State, code int64, detail string) {
	if a.State.Final() {
		return
	}
	for i := range a.Results {
		if r := &a.Results[i]; !r.Status.Final() {
			r.set(env, Error, StepFailed, ours(code), detail)
		}
	}
	a.move(env, state)
}

// Clone returns a copy that shares nothing with a; nil of nil.
func (a *Action) Clone() *Action {
	if a == nil {
		return nil
	}
	c := *a
	c.Set, c.Results = slices.Clone(a.Set), slices.Clone(a.Results)
	return &c
}

// open returns the result of a payload that may still change, nil if there is none.
func (a *Action) open(id PayloadID) *Result {
	if a == nil || a.State.Final() {
		return nil
	}
	i := slices.IndexFunc(a.Results,
		func(r Result) bool { return r.Payload == id && !r.Status.Final() })
	if i < 0 {
		return nil
	}
	return &a.Results[i]
}
