package mdm

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist/tolerant"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

// decode turns a device's report into the engine's. One that does not say which command it answers
// has no Task: it answers the last one.
func decode(r *report) engine.Report {
	id, inventory, isInventory := parseCommandUUID(r.CommandUUID)
	report := engine.Report{Task: id}
	if r.unread != "" {
		report.Outcome = unreadable(r.unread)
		return report
	}
	switch r.Status {
	case "Acknowledged":
		report.Outcome = acknowledged(r.members)
	case "NotNow":
		report.Outcome = action.Outcome{Verdict: action.NotNow}
	case "Error":
		report.Outcome = failed(r.members["ErrorChain"], r.members)
	case "CommandFormatError":
		report.Outcome = failed(r.members["ErrorChain"], r.members)
		report.Outcome.Verdict = action.Permanent
		report.Outcome.Detail = withCause("the device does not understand the command",
			report.Outcome.Detail)
	case "":
		report.Outcome = unreadable(withCause("the device's answer cannot be read: it has no status", r.damage))
	default:
		report.Outcome = action.Outcome{Verdict: action.Permanent, Code: action.CodeNotSupported,
			Detail: fmt.Sprintf("the device answered with a status that is not known: %.100q",
				r.Status)}
	}
	switch {
	case isInventory && inventory.first:
		report.Outcome = managedApps(report.Outcome, r.members)
	case isInventory && report.Outcome.Verdict == action.Accepted:
		takeInventory(&report, inventory.class, r.members)
	}
	return report
}

// unreadable is the outcome of an answer that does not tell what became of its command. It is asked
// for again, as often as after an error that may pass.
func unreadable(why string) action.Outcome {
	return action.Outcome{Verdict: action.Retriable, Code: action.CodeNotVerified, Detail: why}
}

func withCause(what, cause string) string {
	if cause == "" {
		return what
	}
	return what + ": " + cause
}

// acknowledged looks into an acknowledged command for settings that failed: Settings reports each
// on its own. Apple documents a dictionary; devices send an array.
func acknowledged(members tolerant.Dict) action.Outcome {
	for _, one := range dictsIn(members["Settings"]) {
		if status := text(one, "Status"); status != "" && status != "Acknowledged" {
			return failed(one["ErrorChain"], members)
		}
	}
	return action.Outcome{Verdict: action.Accepted}
}

// dictsIn are the dictionaries in an array, or the dictionary in the place of one. What else is
// there is passed over.
func dictsIn(value any) (dicts []tolerant.Dict) {
	switch v := tolerant.Part(value).(type) {
	case tolerant.Dict:
		dicts = append(dicts, v)
	case tolerant.List:
		for _, one := range v {
			if d, ok := tolerant.Part(one).(tolerant.Dict); ok {
				dicts = append(dicts, d)
			}
		}
	}
	return dicts
}

// failed turns an error chain into an outcome: the code is the first one, the detail the whole
// chain. What the device said without a code, or with the code 0, which stands for no failure, has
// CodeNoCode.
func failed(value any, members tolerant.Dict) action.Outcome {
	reason := text(members, "RejectionReason")
	if verdict, ok := rejections[reason]; ok && verdict == action.Accepted {
		return action.Outcome{Verdict: verdict, Detail: reason}
	}
	chain := errorChain(value)
	o := action.Outcome{Verdict: chainVerdict(chain), Code: action.CodeNoCode}
	var details []string
	for _, link := range chain {
		if o.Source == action.ByServer && link.code != 0 {
			o.Code, o.Source = link.code, action.ByDevice
		}
		if words := link.String(); words != "" {
			details = append(details, words)
		}
	}
	if reason != "" {
		details = append(details, "RejectionReason "+reason)
	}
	switch odd, isOdd := value.(tolerant.Odd); {
	case isOdd:
		details = append(details, "its error chain cannot be read: "+odd.Why)
	case len(details) == 0:
		details = append(details, "the device gave no reason")
	}
	o.Detail = sentences(details)
	return o
}

// chainLink is one link of an error chain.
type chainLink struct {
	domain string
	code   int64 // 0: it has none
	text   string
}

// maxChain is how many links of an error chain are read. Devices send two or three.
const maxChain = 16

// errorChain reads the links of an error chain, which is an array of dictionaries, or what a device
// sends in its place.
func errorChain(value any) (chain []chainLink) {
	if said, ok := value.(string); ok {
		return []chainLink{{text: said}}
	}
	if list, ok := tolerant.Part(value).(tolerant.List); ok {
		for _, one := range list[:min(len(list), maxChain)] {
			if said, ok := one.(string); ok {
				chain = append(chain, chainLink{text: said})
			} else if d, ok := tolerant.Part(one).(tolerant.Dict); ok {
				chain = append(chain, readLink(d))
			}
		}
		return chain
	}
	for _, one := range dictsIn(value) {
		chain = append(chain, readLink(one))
	}
	return chain
}

func readLink(d tolerant.Dict) chainLink {
	link := chainLink{domain: text(d, "ErrorDomain"), code: wholeNumber(d["ErrorCode"]),
		text: text(d, "USEnglishDescription")}
	if link.text == "" {
		link.text = text(d, "LocalizedDescription")
	}
	return link
}

// wholeNumber is a number in whichever form it was sent; 0: it is none, or not whole.
func wholeNumber(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v)
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case string:
		n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err == nil {
			return n
		}
	}
	return 0
}

// String is the link as details have it: domain, code, a colon, and the device's words.
func (l chainLink) String() string {
	head := l.domain
	if l.code != 0 {
		head += " " + strconv.FormatInt(l.code, 10)
	}
	if head == "" {
		return strings.TrimSpace(l.text)
	}
	return strings.TrimSpace(head + ": " + l.text)
}

// sentences joins what a device said: what ends as a sentence does needs no other mark behind it.
func sentences(parts []string) string {
	var text strings.Builder
	for i, part := range parts {
		text.WriteString(part)
		switch {
		case i == len(parts)-1:
		case strings.ContainsAny(part[max(0, len(part)-1):], ".!?"):
			text.WriteString(" ")
		default:
			text.WriteString("; ")
		}
	}
	return text.String()
}
