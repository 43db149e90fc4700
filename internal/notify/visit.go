package notify

import (
	"context"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/backoff"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// visit is the work on one claimed subscription.
type visit struct {
	service *Service
	sub     *Subscription // as it was when it was claimed
	outcome Outcome       // what to store when the claim is released
}

// visit does the next thing for a claimed subscription, which is at most one delivery.
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
	case sub.Paused: // the owner had no right to see what happened meanwhile
		o.Paused = false
		err = v.skipAll(ctx)
	default:
		err = v.deliverChanges(ctx, sees)
	}
	return o, err
}

// addNotice adds a lifecycle notification, if the subscription has a URL for them.
func (v *visit) addNotice(event Lifecycle) {
	if v.sub.Terms.LifecycleURL != "" {
		v.outcome.Notices = append(v.outcome.Notices, v.service.notice(v.sub, event))
	}
}

// pause stops deliveries until the owner has their rights again.
func (v *visit) pause(now time.Time) {
	if !v.sub.Paused {
		v.addNotice(ReauthorizationRequired)
	}
	v.outcome.Paused = true
	v.outcome.Trying = time.Time{}
	v.outcome.NotBefore = now.Add(pausedEvery)
	v.outcome.LookAt = now.Add(pausedEvery)
}

// skipAll skips all events that there are, and tells the receiver that it missed some.
func (v *visit) skipAll(ctx context.Context) (err error) {
	v.addNotice(Missed)
	v.outcome.Trying = time.Time{}
	_, v.outcome.Position, err = v.service.config.Store.EventRange(ctx)
	return err
}

// deliverChanges delivers what the owner may see of the next events.
func (v *visit) deliverChanges(ctx context.Context, sees *access.Sight) error {
	list, reach, err := v.service.changes(ctx, v.sub, sees)
	switch {
	case errors.Is(err, live.ErrGone):
		return v.skipAll(ctx)
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
		return v.skipAll(ctx)
	}
	return nil
}

// fail counts a failed attempt, and reports whether it was the last one for this delivery.
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

// retryWait returns how long to wait after a number of failures.
func retryWait(failures int) time.Duration {
	return backoff.After(backoffBase, backoffMost, 2, failures)
}
