package notify

import (
	"context"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/backoff"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// turn is what is done in one go for a claimed subscription.
type turn struct {
	*Service
	sub *Subscription
	Outcome
}

// step does what is next for a claimed subscription: at most one delivery.
func (s *Service) step(ctx context.Context, sub *Subscription) (*Outcome, error) {
	t := &turn{Service: s, sub: sub, Outcome: Outcome{Delivery: sub.Delivery}}
	now := s.now()
	if sub.OwnerGone || !now.Before(sub.Expires) {
		t.Remove = true
		t.tell(SubscriptionRemoved)
		return &t.Outcome, nil
	}
	if !sub.Remind.IsZero() && !now.Before(sub.Remind) {
		t.Reminded = true
		t.tell(ReauthorizationRequired)
	}
	t.NotBefore, t.LookAt = now, now.Add(lookEvery)
	owner, err := s.Access.Admit(ctx, &sub.Owner)
	if err != nil {
		return nil, err
	}
	sees, err := s.sightOf(ctx, sub, owner)
	switch {
	case err != nil:
	case sees == nil:
		t.pause(now)
	case sub.Paused: // what has happened meanwhile was not for the owner
		t.Paused = false
		err = t.miss(ctx)
	default:
		err = t.push(ctx, sees)
	}
	return &t.Outcome, err
}

// tell adds a lifecycle notification, if somebody wants it.
func (t *turn) tell(event Lifecycle) {
	if t.sub.Terms.LifecycleURL != "" {
		t.Notices = append(t.Notices, t.notice(t.sub, event))
	}
}

// pause waits for the owner to have their rights again.
func (t *turn) pause(now time.Time) {
	if !t.sub.Paused {
		t.tell(ReauthorizationRequired)
	}
	t.Paused, t.Trying = true, time.Time{}
	t.NotBefore, t.LookAt = now.Add(pausedEvery), now.Add(pausedEvery)
}

// miss passes over all events there are, and tells so.
func (t *turn) miss(ctx context.Context) (err error) {
	t.tell(Missed)
	t.Trying = time.Time{}
	_, t.Position, err = t.Store.EventRange(ctx)
	return err
}

// push delivers what the owner sees of the next events.
func (t *turn) push(ctx context.Context, sees *access.Sight) error {
	list, reach, err := t.changes(ctx, t.sub, sees)
	switch {
	case errors.Is(err, live.ErrGone):
		return t.miss(ctx)
	case err != nil:
		return err
	case len(list) == 0:
		t.Position = reach
		return nil
	}
	failure := t.deliver(ctx, t.sub.Terms.URL, t.sub.Secret, t.changeBody(t.sub, list))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := t.now()
	if failure == nil {
		t.Delivery = Delivery{Position: reach, LookAt: t.LookAt, NotBefore: now, Delivered: now}
		return nil
	}
	if last := t.fail(now, failure); last {
		return t.miss(ctx)
	}
	return nil
}

// fail counts an attempt that failed, and reports whether it was the last for what it should deliver.
func (d *Delivery) fail(now time.Time, failure error) (last bool) {
	d.Attempts++
	d.LastError = failure.Error()
	d.NotBefore = now.Add(retryWait(d.Attempts))
	if d.Failing.IsZero() {
		d.Failing = now
	}
	if d.Trying.IsZero() {
		d.Trying = now
	}
	return now.Sub(d.Trying) >= GiveUpAfter
}

// retryWait is the wait after so many failures.
func retryWait(failures int) time.Duration {
	return backoff.After(backoffBase, backoffMost, 2, failures)
}
