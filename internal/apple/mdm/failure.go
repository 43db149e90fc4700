package mdm

import "github.com/syncpayloads/syncpayloads/internal/action"

// failure is one link of an error chain. Domains MDMErrorDomain and MCMDMErrorDomain are the same
// with other names.
type failure struct {
	domain string
	code   int64
}

// failures are the failures that are not for good. Codes and their meaning are Apple's "Mobile
// Device Management Protocol Reference", section "Error Codes", which says that they may change;
// the exceptions name their source. Which of them are worth another try is this project's
// judgement, except where it is plain from the meaning.
var failures = map[failure]action.Verdict{
	// What is to be removed is not there.
	// macOS: profile not found (seen by users of Fleet; not in Apple's list)
	{"MDMClientError", 89}: action.NotFound,
	// specified profile not installed; also seen as MDMErrorDomain (Fleet)
	{"MCMDMErrorDomain", 12075}:         action.NotFound,
	{"MCInstallationErrorDomain", 4024}: action.NotFound, // profile not found
	{"MCMDMErrorDomain", 12029}:         action.NotFound, // app not managed
	{"MCMDMErrorDomain", 12038}:         action.NotFound, // app not managed

	// The device is locked or busy.
	{"MCInstallationErrorDomain", 4009}: action.Retriable, // device locked
	{"MCPasscodeErrorDomain", 5010}:     action.Retriable, // device locked
	{"MCTunnelErrorDomain", 14001}:      action.Retriable, // device locked
	{"MCMDMErrorDomain", 12036}:         action.Retriable, // cannot remove app in current state
	{"MCMDMErrorDomain", 12078}:         action.Retriable, // invalid request type in MDM Lost mode

	// A server that the device needs did not answer, or has not heard of the license yet.
	// iTunes Store ID could not be validated
	{"MCMDMErrorDomain", 12023}:             action.Retriable,
	{"MCMDMErrorDomain", 12024}:             action.Retriable, // could not validate app manifest
	{"MCMDMErrorDomain", 12026}:             action.Retriable, // license for app could not be found
	{"MCMDMErrorDomain", 12040}:             action.Retriable, // iTunes Store login required
	{"MCMDMErrorDomain", 12043}:             action.Retriable, // media download failure
	{"MCMDMErrorDomain", 12047}:             action.Retriable, // cannot find VPP assignment
	{"MCMDMErrorDomain", 12064}:             action.Retriable, // license not found
	{"MCEmailErrorDomain", 7000}:            action.Retriable, // host unreachable
	{"MCDAErrorDomain", 18001}:              action.Retriable, // host unreachable
	{"MCEASErrorDomain", 21000}:             action.Retriable, // cannot get policy from server
	{"MCSCEPErrorDomain", 22005}:            action.Retriable, // network error
	{"MCHTTPTransactionErrorDomain", 23001}: action.Retriable, // bad server response
	{"MCStoreErrorDomain", 30001}:           action.Retriable, // timed out

	// Foundation's NSURLError codes ("Foundation, URL Loading System Error Codes").
	{"NSURLErrorDomain", -1001}: action.Retriable, // timed out
	{"NSURLErrorDomain", -1003}: action.Retriable, // cannot find host
	{"NSURLErrorDomain", -1004}: action.Retriable, // cannot connect to host
	{"NSURLErrorDomain", -1005}: action.Retriable, // network connection lost
	{"NSURLErrorDomain", -1006}: action.Retriable, // DNS lookup failed
	{"NSURLErrorDomain", -1009}: action.Retriable, // not connected to the internet
}

// rejections are the reasons of InstallApplication's RejectionReason (Apple,
// "InstallApplicationResponse") for which the inventory has the last word: the app is there or on
// its way. Every other reason is an error as its chain says.
var rejections = map[string]action.Verdict{
	"AppAlreadyInstalled": action.Accepted,
	"AppAlreadyQueued":    action.Accepted,
}

// chainVerdict is NotFound or Retriable if any link of the chain is, in this order, and else
// Permanent: the first link often says no more than that a profile could not be installed, and a
// later one why.
func chainVerdict(chain []chainLink) action.Verdict {
	verdict := action.Permanent
	for _, link := range chain {
		switch failures[failure{sameDomain(link.domain), link.code}] {
		case action.NotFound:
			return action.NotFound
		case action.Retriable:
			verdict = action.Retriable
		}
	}
	return verdict
}
