package console

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// explanation is an error as an admin needs it.
type explanation struct {
	Code    string
	Own     string // what the device, or else the server, said
	Meaning string
	Advice  string
}

// advice is what an error means and what to try.
type advice struct{ meaning, try string }

// byDevice is who a code is from if it is not the server's own.
const byDevice = "device"

// explain finds the words for an error. A device's error chain is told in the detail, and its last link that is known
// says most.
func explain(code int64, source, detail string) *explanation {
	e := &explanation{Own: detail}
	if code != 0 {
		e.Code = strconv.FormatInt(code, 10)
	}
	found, known := advice{}, false
	if source != byDevice {
		found, known = ownCodes[code]
	}
	if code == action.CodeNoCode && source != byDevice {
		found, known = appState(detail)
	}
	result, _, _ := strings.Cut(detail, action.DeviceHadSaid)
	for _, link := range errorLinks(result) {
		a, ok := appleErrors[link]
		if !ok {
			a, ok = appleDomains[link.domain]
		}
		if ok {
			found, known = a, true
		}
	}
	if !known {
		found = unknownError
	}
	e.Meaning, e.Advice = found.meaning, found.try
	return e
}

var unknownError = advice{"The device reported a failure that this console has no words for.",
	"Read what the device said, and look up its error domain and code in Apple's documentation. Starting the action again tries once more."}

// appleError is one link of an error chain.
type appleError struct {
	domain string
	code   int
}

var linkPattern = regexp.MustCompile(`\b([A-Z][A-Za-z]*(?:Domain|Error)) (-?\d{1,9}):`)

// errorLinks finds the links of an error chain in a detail. MDMErrorDomain and MCMDMErrorDomain are the same.
func errorLinks(detail string) []appleError {
	var links []appleError
	for _, m := range linkPattern.FindAllStringSubmatch(detail, -1) {
		code, err := strconv.Atoi(m[2])
		if err != nil {
			continue
		}
		domain := m[1]
		if domain == "MDMErrorDomain" {
			domain = "MCMDMErrorDomain"
		}
		links = append(links, appleError{domain, code})
	}
	return links
}

// appState finds the words for a state of an app that a device reports without a code: its name begins the detail, or
// follows the count of attempts.
func appState(detail string) (advice, bool) {
	for word := range strings.FieldsFuncSeq(detail, func(r rune) bool { return r == ':' || r == ' ' || r == ';' }) {
		if a, ok := appStates[word]; ok {
			return a, true
		}
	}
	a, ok := ownCodes[action.CodeNoCode]
	return a, ok
}
