package amapi

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

const (
	// refusedFor is how long a document that Google refused is not sent again as it is.
	refusedFor = 10 * time.Minute
	// mostBlamed bounds the documents that are sent to find out which payload Google refuses.
	mostBlamed = 10
)

// post makes what was handed over the device's policy. moved says that Google has it already, so
// that only what became of it is to be looked at. Payloads that Google refuses fail; the rest is
// posted without them.
func (j *job) post(ctx context.Context) (moved bool, err error) {
	whole := j.compose(nil)
	hash, err := documentHash(whole.Document)
	if err != nil {
		return false, err
	}
	failed := make(map[action.PayloadID]action.Outcome)
	composition := whole
	if r := j.enrollment.State.Refused; r != nil && r.Hash == hash &&
		j.now().Sub(r.At) < refusedFor {
		without := make(map[action.PayloadID]bool, len(r.Why))
		for id, why := range r.Why {
			without[action.PayloadID(id)] = true
			failed[action.PayloadID(id)] = refusedOutcome(http.StatusBadRequest, why)
		}
		composition = j.compose(without)
		if hash, err = documentHash(composition.Document); err != nil {
			return false, err
		}
	}
	if j.newest != nil && j.newest.Hash == hash {
		moved = true
		err = j.store.MoveAndroidPosting(ctx, j.enrollment.Name, j.newest.Mark, j.document.Mark,
			&composition.Manifest)
		j.newest.Mark, j.newest.Manifest = j.document.Mark, &composition.Manifest
	} else {
		composition, err = j.send(ctx, composition, failed)
	}
	if err != nil {
		return false, err
	}
	for id, e := range composition.Manifest.Entries {
		switch e.Listing {
		case payload.LeftOut:
			failed[id] = leftOut(&e)
		case payload.Coming:
			failed[id] = coming(&e)
		}
	}
	return moved, j.tellFailed(ctx, failed)
}

// send posts a document, or as much of it as Google takes, and adds what fails because of that. It
// returns what Google has now.
func (j *job) send(ctx context.Context, c *payload.Composition,
	failed map[action.PayloadID]action.Outcome) (*payload.Composition, error) {
	err := j.sendOnce(ctx, c)
	if isCode(err, http.StatusBadRequest) {
		return j.sendWithout(ctx, c, failed, err)
	}
	var r *Refused
	if !errors.As(err, &r) || r.Code < 400 || r.Code >= 500 ||
		r.Code == http.StatusTooManyRequests || r.Code == http.StatusUnauthorized {
		return c, err
	}
	for _, id := range j.changed(c) {
		failed[id] = refusedOutcome(r.Code, r.Text)
	}
	return c, nil
}

// sendOnce posts a document. What is about to be sent is stored before, so that it is known after a
// crash, and its version after; a document without a version counts as posted nowhere.
func (j *job) sendOnce(ctx context.Context, c *payload.Composition) error {
	hash, err := documentHash(c.Document)
	if err != nil {
		return err
	}
	p := Posting{Mark: j.document.Mark, Hash: hash, Manifest: &c.Manifest}
	if err := j.store.AddAndroidPosting(ctx, j.enrollment.Name, p); err != nil {
		return err
	}
	if err := j.lease.renew(ctx); err != nil {
		return err
	}
	p.Version, err = j.google.postPolicy(ctx, j.policy, c.Document)
	var r *Refused
	var wait *paused
	if errors.As(err, &wait) || errors.As(err, &r) && r.Code >= 400 && r.Code < 500 {
		// Google does not have it
		return errors.Join(err, j.store.DropAndroidPosting(ctx, j.enrollment.Name, p.Mark))
	}
	if err != nil {
		return err // Google may have it: see settle
	}
	j.newest = &p
	return j.store.FinishAndroidPosting(ctx, j.enrollment.Name, p.Mark, p.Version)
}

// sendWithout finds the payloads because of which Google refused a document, as text tells or by
// leaving them out one by one, and posts the rest.
func (j *job) sendWithout(ctx context.Context, c *payload.Composition,
	failed map[action.PayloadID]action.Outcome, refusal error) (*payload.Composition, error) {
	whole, err := documentHash(j.compose(nil).Document)
	if err != nil {
		return nil, err
	}
	without := make(map[action.PayloadID]bool)
	for id := range failed {
		without[id] = true
	}
	why := make(map[string]string)
	leave := func(text string, ids ...action.PayloadID) {
		for _, id := range ids {
			without[id] = true
			why[string(id)] = text
			failed[id] = refusedOutcome(http.StatusBadRequest, text)
		}
	}
	for tries := 0; tries < mostBlamed && isCode(refusal, http.StatusBadRequest); tries++ {
		text := refusalText(refusal)
		blamed := c.Blame(text)
		if len(blamed) == 0 {
			break
		}
		leave(text, blamed[0]) // the others may be right without it
		c = j.compose(without)
		refusal = j.sendOnce(ctx, c)
	}
	if isCode(refusal, http.StatusBadRequest) {
		c, refusal = j.leaveOneOut(ctx, without, leave, refusal)
	}
	if refusal != nil && !isCode(refusal, http.StatusBadRequest) {
		return nil, refusal
	}
	if refusal != nil { // nothing of it is taken, whatever is left out
		for _, id := range j.changed(c) {
			failed[id] = refusedOutcome(http.StatusBadRequest, refusalText(refusal))
		}
	}
	at := j.now().UTC()
	err = j.store.UpdateAndroidEnrollment(ctx, j.enrollment.Name, func(e *Enrollment) {
		e.State.Refused = &RefusedDocument{Hash: whole, At: at, Why: why}
	})
	return c, err
}

// leaveOneOut sends the document without each single payload that is new in it, the youngest first;
// then without all of them: the rest is what Google took before.
func (j *job) leaveOneOut(ctx context.Context, without map[action.PayloadID]bool,
	leave func(string, ...action.PayloadID), refusal error) (*payload.Composition, error) {
	text := refusalText(refusal)
	rest := j.compose(without)
	suspects := slices.DeleteFunc(j.changed(rest), func(id action.PayloadID) bool {
		return rest.Manifest.Entries[id].Listing != payload.Wanted
	})
	for _, id := range suspects[:min(len(suspects), mostBlamed)] {
		one := maps.Clone(without)
		one[id] = true
		c := j.compose(one)
		err := j.sendOnce(ctx, c)
		if err == nil {
			leave(text, id)
		}
		if !isCode(err, http.StatusBadRequest) {
			return c, err
		}
	}
	leave(text, suspects...)
	c := j.compose(without)
	return c, j.sendOnce(ctx, c)
}

// changed are the payloads of a document that are otherwise in what Google has, the youngest first.
func (j *job) changed(c *payload.Composition) (list []action.PayloadID) {
	for id, e := range c.Manifest.Entries {
		if j.newest != nil {
			before, known := j.newest.Manifest.Payload(id)
			if known && before.Listing == e.Listing && before.Version == e.Version {
				continue
			}
		}
		list = append(list, id)
	}
	created := make(map[action.PayloadID]time.Time)
	for _, s := range j.document.Wanted {
		created[s.ID] = s.Created
	}
	slices.SortFunc(list, func(a, b action.PayloadID) int {
		return cmp.Or(created[b].Compare(created[a]), cmp.Compare(a, b))
	})
	return list
}

// tellFailed tells the engine which payloads failed before the device could get them. That is no
// report of the device: it says nothing of all others, and has a number that every report exceeds.
func (j *job) tellFailed(ctx context.Context,
	failed map[action.PayloadID]action.Outcome) error {
	if len(failed) == 0 {
		return nil
	}
	outcomes := make(map[action.PayloadID]action.Outcome)
	for _, s := range slices.Concat(j.document.Wanted, j.document.HeldOff, j.document.Ended) {
		outcomes[s.ID] = action.Outcome{Verdict: action.Waiting}
	}
	maps.Copy(outcomes, failed)
	var number int64
	err := j.store.UpdateAndroidEnrollment(ctx, j.enrollment.Name, func(e *Enrollment) {
		e.State.Reported++
		number = e.State.Reported
	})
	if err != nil {
		return err
	}
	return j.engine.TakeReport(ctx, j.enrollment.Device, engine.DocumentReport{
		DocumentReport: action.DocumentReport{Number: number, Mark: j.document.Mark,
			Outcomes: outcomes}})
}

func permanent(code int64, why string) action.Outcome {
	return action.Outcome{Verdict: action.Permanent, Code: code, Source: action.ByDevice,
		Detail: why}
}

// leftOut is what becomes of a payload that could not be in the document.
func leftOut(e *payload.Entry) action.Outcome {
	return action.Outcome{Verdict: action.Permanent, Code: e.Code, Detail: e.Why}
}

// coming is what becomes of a payload for which Google has not made something yet.
func coming(e *payload.Entry) action.Outcome {
	return action.Outcome{Verdict: action.Waiting, Detail: e.Why}
}

// refusedOutcome is what becomes of a payload because of an answer of Google's.
func refusedOutcome(status int, text string) action.Outcome {
	code, _, words := payload.Refusal(status, text)
	return permanent(code, words)
}

func refusalText(err error) string {
	var r *Refused
	errors.As(err, &r)
	return r.Text
}
