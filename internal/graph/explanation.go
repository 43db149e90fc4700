package graph

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// explainer finds the words for a failure: what a code means, and what to try. Empty: there are
// none. Details are a device's own words, of any length.
type explainer func(code action.Code, detail string) (meaning, advice string)

// explanation is what a failure means, and what to try.
type explanation struct{ meaning, advice string }

// ownExplanations are the server's own findings (package action).
var ownExplanations = map[int64]explanation{
	action.CodeSuperseded: {"A later action took the place of this one before it had ended.",
		"Look at the latest action of this device: it has taken over."},
	action.CodeUnenrolled: {"The device left management, was wiped, or enrolled anew before this had ended.", "Enroll the device again. What is assigned to it is then installed; start a new action if something is to be off."},
	action.CodeNotSupported: {"This device, or the way in which it is enrolled, cannot do this.",
		"Nothing helps on this device. Read the detail for what is missing."},
	action.CodeNotVerified: {"The device accepted the command, but what it then listed does not show the result.",
		"Sync the device and look at its state again. If it stays so, look on the device itself: its user may have undone it, or another profile may bring the same."},
	action.CodeInPlace: {"Another policy or app with the same identifier is on the device, or is to be, and there is room for one of them.",
		"Take the assignment from one of the two. When the one in its place goes, this one comes by itself."},
	action.CodeNoCode: {"The device reported a failure and gave no code for it.",
		"Read what the device said. Start the action again."},
}

// explained is an explainer that knows this server's own codes, too. Where a platform knows what a
// device said, that says more.
func explained(platforms explainer) explainer {
	return func(code action.Code, detail string) (meaning, advice string) {
		if platforms != nil {
			if meaning, advice = platforms(code, detail); meaning != "" {
				return meaning, advice
			}
		}
		if code.Source == action.ByDevice {
			return "", ""
		}
		own := ownExplanations[code.Number]
		return own.meaning, own.advice
	}
}

// Annotations of errorCode that are our own. Clients of Graph pass over annotations that they do
// not know (OData JSON format 4.0, section 4.5).
const (
	// errorSource is whose code it is. Devices have codes that are the same numbers as the
	// server's.
	errorSource  = "errorCode@syncpayloads.source"
	errorMeaning = "errorCode@syncpayloads.meaning"
	errorAdvice  = "errorCode@syncpayloads.advice"
)

var sources = []string{action.ByServer: "server", action.ByDevice: "device"}

// sourceOf is whose a code is; nil: it is no failure.
func sourceOf(c action.Code) any {
	if c.Number == 0 {
		return nil
	}
	return sources[c.Source]
}

// explain tells what a failure means, in properties of our own types; null where there are no
// words.
func (x explainer) explain(c action.Code, detail string) odata.Fields {
	meaning, advice := "", ""
	if c.Number != 0 && x != nil {
		meaning, advice = x(c, detail)
	}
	return odata.Fields{{"meaning", odata.TextOrNull(meaning)},
		{"advice", odata.TextOrNull(advice)}}
}

// withFailure annotates errorCode, if there is one: whose code it is, what it means, and what to
// try.
func withFailure(f odata.Fields, c action.Code, detail string, x explainer) odata.Fields {
	source := sourceOf(c)
	i := slices.IndexFunc(f, func(one odata.Field) bool { return one.Name == "errorCode" })
	if source == nil || i < 0 {
		return f
	}
	told := odata.Fields{{errorSource, source}}
	if x != nil {
		if meaning, advice := x(c, detail); meaning != "" {
			told = append(told, odata.Field{errorMeaning, meaning},
				odata.Field{errorAdvice, advice})
		}
	}
	return slices.Insert(f, i, told...)
}
