package action

import "time"

// Leave is the task by which a device is asked to leave management. Nothing else is handed to it
// meanwhile.
type Leave struct {
	Wanted    bool
	Task      TaskID    `json:",omitempty"` // in the device's hands; empty: none
	Deferred  bool      `json:",omitempty"`
	Attempt   int       `json:",omitempty"` // tries that failed
	NotBefore time.Time `json:",omitzero"`
}

// Retire asks the device to leave management: it takes precedence over all else. The action in
// force ends as canceled, and what is held off the device does not come back any more. A device that
// is not enrolled, or that is leaving already, stays as it is.
func (d *Device) Retire(env Env) {
	if !d.Enrolled || d.Leave.Wanted {
		return
	}
	d.clear(env, "the device is being retired")
	d.Leave = Leave{Wanted: true}
	d.Unsupported = "the device is leaving management"
}

func (l *Leave) ready(now time.Time) bool {
	return l.Wanted && !l.Deferred && !l.NotBefore.After(now)
}

// hand is the task of leaving. One that was never answered is handed over again under the same id.
func (l *Leave) hand(env Env) Task {
	if l.Task == "" {
		l.Task = TaskID(env.NewID())
	}
	l.NotBefore = time.Time{}
	return Task{ID: l.Task, Kind: LeaveManagement}
}

// answer applies what the device says. A device that leaves mostly says nothing more; one that says
// that it did is gone.
func (d *Device) answerLeave(env Env, o Outcome) {
	l := &d.Leave
	switch o.Verdict {
	case Accepted, NotFound:
		d.Unenroll(env)
	case NotNow:
		l.Deferred = true
	default: // however it failed: to be managed by halves is worse than to be asked again
		l.Attempt++
		l.Task = ""
		l.NotBefore = env.Now.Add(backoff(env.Policy.RetryBase, env.Policy.RetryMax, l.Attempt))
	}
}
