package payload

import (
	"google.golang.org/api/androidmanagement/v1"
)

// Verdict is what a non-compliance detail means for a payload that it concerns.
type Verdict uint8

const (
	// Working: the device is still at it, and nobody must do anything.
	Working Verdict = iota
	// UserMust: as Working, and it goes on when the device's user has acted.
	UserMust
	// Permanent: it will not get better by itself.
	Permanent
	// PartlyPermanent: as Permanent if it concerns all fields of a payload. Of a part of them: this
	// device cannot do that part, and the payload counts as applied.
	PartlyPermanent
)

// Judgement is what a non-compliance detail means.
type Judgement struct {
	// Code is a number of the table of codes: 1000 and the index of nonComplianceReason among its
	// values, or 2000 and that of installationFailureReason, or 3000 and that of
	// specificNonComplianceReason, whichever says most.
	Code    int64
	Verdict Verdict
	// Words are for the detail of a result: what the device said, about what. They name Google's
	// value, by which Explain knows the code again.
	Words string
}

// Detail is what a device says of one setting that it does not comply with.
type Detail = androidmanagement.NonComplianceDetail
