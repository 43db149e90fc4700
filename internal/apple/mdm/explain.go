package mdm

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// advice is what an error means and what to try.
type advice struct{ meaning, try string }

// Explain finds the words for a failure that a device told of; empty: there are none. A device's
// error chain is told in the detail, and its last link that is known says most.
func Explain(code action.Code, detail string) (meaning, try string) {
	var found advice
	if code == (action.Code{Number: action.CodeNoCode, Source: action.ByServer}) {
		found = appState(detail)
	}
	result, _, _ := strings.Cut(detail, action.DeviceHadSaid)
	for _, link := range errorLinks(result) {
		a, ok := explanations[link]
		if !ok {
			a, ok = domainExplanations[link.domain]
		}
		if ok {
			found = a
		}
	}
	return found.meaning, found.try
}

var linkPattern = regexp.MustCompile(`\b([A-Z][A-Za-z]*(?:Domain|Error)) (-?\d{1,9}):`)

// errorLinks finds the links of an error chain in a detail, as answers write them.
func errorLinks(detail string) []failure {
	var links []failure
	for _, m := range linkPattern.FindAllStringSubmatch(detail, -1) {
		code, err := strconv.ParseInt(m[2], 10, 64)
		if err == nil {
			links = append(links, failure{sameDomain(m[1]), code})
		}
	}
	return links
}

// sameDomain gives the two names of one domain one name.
func sameDomain(domain string) string {
	if domain == "MDMErrorDomain" {
		return "MCMDMErrorDomain"
	}
	return domain
}

// appState finds the words for a state of an app that a device reports without a code: its name
// begins the detail, or follows the count of attempts.
func appState(detail string) advice {
	for word := range strings.FieldsFuncSeq(detail,
		func(r rune) bool { return r == ':' || r == ' ' || r == ';' }) {
		if a, ok := appStates[word]; ok {
			return a
		}
	}
	return advice{}
}
