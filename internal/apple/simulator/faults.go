package simulator

import "time"

// Faults are a device's random troubles. Each probability, 0 to 1, is tried for every command it
// concerns. Commands that Apple guarantees to execute are never put off and never fail by chance.
type Faults struct {
	NotNow         float64 // answers NotNow, and connects again by itself after Busy
	Transient      float64 // answers Error with a time-out, without executing
	LostCommand    float64 // the response with the command never arrives
	LostAnswer     float64 // executes, but the answer never arrives
	RepeatedAnswer float64 // sends the same answer twice, as after a lost response
	// executes and answers on a later connection, as after a break in the middle
	LateAnswer   float64
	UserRejects  float64 // the user declines the install of an app
	InstallFails float64 // the install of an app is accepted and then fails

	Busy     time.Duration // after a NotNow, until the device connects by itself
	AppLooks int           // app lists that still show a new app as Queued or Installing
	AppTime  time.Duration // until a new app is installed
}

// Effect is what a Hook does to a command.
type Effect int

const (
	AnswerNotNow Effect = iota + 1
	AnswerError         // answers Error with the hook's Chain, or a time-out; not executed
	LoseCommand         // as Faults.LostCommand
	LoseAnswer          // as Faults.LostAnswer
	RepeatAnswer        // as Faults.RepeatedAnswer
	UserReject          // as Faults.UserRejects
	FailInstall         // as Faults.InstallFails
	AnswerLate          // as Faults.LateAnswer
)

// Always as Hook.Times makes a hook that is never used up.
const Always = -1

// Hook makes chosen commands come out in a chosen way.
type Hook struct {
	RequestType string // empty: any
	Identifier  string // profile identifier or bundle id; empty: any
	Effect      Effect
	Chain       []ErrorLink // of AnswerError
	Times       int         // commands it is good for; 0 is 1; see Always
}

// ErrorLink is one element of an answer's ErrorChain.
type ErrorLink struct {
	Domain      string
	Code        int
	Description string // US English
}

var timedOut = []ErrorLink{{"NSURLErrorDomain", -1001, "The request timed out."}}

// guaranteed are the commands that a device executes even when locked (Mobile Device Management
// Protocol Reference, "Error Handling" under "MDM Protocol": commands guaranteed to execute).
var guaranteed = map[string]bool{"DeviceInformation": true, "ProfileList": true,
	"InstalledApplicationList": true}

// fate decides how a command comes out; mu is held.
func (d *Device) fate(cmd *command) (Effect, []ErrorLink) {
	for i := range d.hooks {
		hook := &d.hooks[i]
		if hook.RequestType != "" && hook.RequestType != cmd.requestType ||
			hook.Identifier != "" && hook.Identifier != cmd.identifier {
			continue
		}
		effect, chain := hook.Effect, hook.Chain
		if hook.Times > 0 {
			hook.Times--
		}
		if hook.Times == 0 {
			d.hooks = append(d.hooks[:i:i], d.hooks[i+1:]...)
		}
		return effect, chain
	}
	return d.chance(cmd), nil
}

func (d *Device) chance(cmd *command) Effect {
	optional := !guaranteed[cmd.requestType]
	switch faults := &d.faults; {
	case d.happens(faults.LostCommand):
		return LoseCommand
	case optional && (d.locked || d.happens(faults.NotNow)):
		return AnswerNotNow
	case optional && d.happens(faults.Transient):
		return AnswerError
	case optional && d.late.command == nil && d.happens(faults.LateAnswer):
		return AnswerLate
	case d.happens(faults.LostAnswer):
		return LoseAnswer
	case d.happens(faults.RepeatedAnswer):
		return RepeatAnswer
	case cmd.installsApp && d.happens(faults.UserRejects):
		return UserReject
	case cmd.installsApp && d.happens(faults.InstallFails):
		return FailInstall
	}
	return 0
}

func (d *Device) happens(probability float64) bool {
	return probability > 0 && d.random.Float64() < probability
}
