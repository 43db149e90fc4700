package payload

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// Compose makes the policy of a device of what it is to have, and of what must be off it. It is
// pure, and the order of its arguments does not matter: what is taken off and put back gives the
// same document, byte for byte.
func Compose(wanted []Item, off []Off) *Composition {
	document := canonicalJSON(basePolicy())
	sum := sha256.Sum256(document)
	return &Composition{Document: document, Hash: hex.EncodeToString(sum[:]),
		Manifest: Manifest{Entries: map[action.PayloadID]Entry{},
			Fields: map[string][]action.PayloadID{}}}
}

// Owners finds whom a non-compliance detail concerns: by the GUID of a network, else by an app, else
// by the field. Each may be empty, as in the detail. None: it concerns nothing of ours. The scope of
// a detail on passwordPolicies that has no path is told as passwordPolicies[SCOPE_DEVICE].
func (m *Manifest) Owners(settingName, fieldPath, packageName,
	wifiGUID string) []action.PayloadID {
	return nil
}

// Explain finds the words for a failure: what its code means, and what to try; empty: there are
// none. Codes of the server's source are known by their number alone. A device's are known by their
// number and Google's name of it in the detail, since those of other platforms are the same numbers.
func Explain(code action.Code, detail string) (meaning, advice string) { return "", "" }

// Judge says what a non-compliance detail means. Any part of it may be missing, and values may be
// unknown.
func Judge(d *Detail) Judgement { return Judgement{} }

// Refusal says what an answer of Google's means that is no success: its code is 4000 and the HTTP
// status. retriable says that the same request may succeed later, as of 429 and 5xx. text is
// Google's own.
func Refusal(status int, text string) (code int64, retriable bool, words string) {
	return 4000 + int64(status), status == 429 || status >= 500, text
}

// Blame finds in Google's text of a refused document which payloads it is about, the younger first;
// none: the text does not tell.
func (c *Composition) Blame(text string) []action.PayloadID { return nil }
