package notify

import (
	"context"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/backoff"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// visit is one look at a claimed subscription.
type visit struct {
	service *Service
	sub     *Subscription // as it was claimed
	outcome Outcome       // what is to become of it
}

// visit does what is next for a claimed subscription: at most one delivery.
func (s *Service) visit(ctx context.Context, sub *Subscription) (*Outcome, error) {
	v := &visit{service: s, sub: sub, outcome: Outcome{Delivery: sub.Delivery}}
	o := &v.outcome
	now := s.now()
	if sub.OwnerGone || !now.Before(sub.Expires) {
		o.Remove = true
		v.addNotice(SubscriptionRemoved)
		return o, nil
	}
	if !sub.Remind.IsZero() && !now.Before(sub.Remind) {
		o.Reminded = true
		v.addNotice(ReauthorizationRequired)
	}
	o.NotBefore = now
	o.LookAt = now.Add(lookEvery)
	owner, err := s.config.Access.Admit(ctx, &sub.Owner)
	if err != nil {
		return nil, err
	}
	sees, err := s.sightOf(ctx, sub, owner)
	switch {
	case err != nil:
	case sees == nil:
		v.pause(now)
	case sub.Paused: // what has happened meanwhile was not for the owner
		o.Paused = false
		err = v.passOver(ctx)
	default:
		err = v.deliverChanges(ctx, sees)
	}
	return o, err
}

// addNotice adds a lifecycle notification, if somebody wants it.
func (v *visit) addNotice(event Lifecycle) {
	if v.sub.Terms.LifecycleURL != "" {
		v.outcome.Notices = append(v.outcome.Notices, v.service.notice(v.sub, event))
	}
}

// pause waits for the owner to have their rights again.
func (v *visit) pause(now time.Time) {
	if !v.sub.Paused {
		v.addNotice(ReauthorizationRequired)
	}
	v.outcome.Paused = true
	v.outcome.Trying = time.Time{}
	v.outcome.NotBefore = now.Add(pausedEvery)
	v.outcome.LookAt = now.Add(pausedEvery)
}

// passOver passes over all events there are, and tells so.
func (v *visit) passOver(ctx context.Context) (err error) {
	v.addNotice(Missed)
	v.outcome.Trying = time.Time{}
	_, v.outcome.Position, err = v.service.config.Store.EventRange(ctx)
	return err
}

// deliverChanges delivers what the owner sees of the next events.
func (v *visit) deliverChanges(ctx context.Context, sees *access.Sight) error {
	list, reach, err := v.service.changes(ctx, v.sub, sees)
	switch {
	case errors.Is(err, live.ErrGone):
		return v.passOver(ctx)
	case err != nil:
		return err
	case len(list) == 0:
		v.outcome.Position = reach
		return nil
	}
	failure := v.service.deliver(ctx, v.sub.Terms.URL, v.sub.Secret,
		v.service.changeBody(v.sub, list))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := v.service.now()
	if failure == nil {
		v.outcome.Delivery = Delivery{Position: reach, LookAt: v.outcome.LookAt, NotBefore: now,
			Delivered: now}
		return nil
	}
	if last := v.outcome.fail(now, failure); last {
		return v.passOver(ctx)
	}
	return nil
}

// fail counts an attempt that failed, and reports whether it was the last for what it should
// deliver.
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
