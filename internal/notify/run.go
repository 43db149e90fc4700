package notify

import (
	"context"
	"errors"
	"time"
)

// Run delivers notifications until ctx ends. Several processes may run it on one database; each
// subscription is claimed by one of them at a time.
func (s *Service) Run(ctx context.Context) error {
	s.workers.Go(func() { s.follow(ctx) })
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if _, err := s.dispatch(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Error("notifications could not be looked for; it is tried again", "err",
				err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-s.slotFreed:
		case <-s.eventsAdded:
			// Wait a moment, so that events that come together go into one delivery.
			select {
			case <-ctx.Done():
			case <-time.After(gatherTime):
			}
		}
	}
	s.workers.Wait()
	return nil
}

// Sweep delivers everything that is due now, once, and waits until it is delivered.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		n, err := s.dispatch(ctx)
		s.workers.Wait()
		if err != nil || n == 0 {
			return err
		}
	}
}

// follow signals grown when there are new events.
func (s *Service) follow(ctx context.Context) {
	for ctx.Err() == nil {
		_, newest, err := s.config.Store.EventRange(ctx)
		if err == nil {
			for _, err := range s.config.Events.Follow(ctx, "", newest) {
				if err != nil {
					break // meanwhile Run still looks every pollEvery
				}
				s.signal(s.eventsAdded)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollEvery):
		}
	}
}

// signal puts a value into a channel of one, if it has none. It never blocks.
func (s *Service) signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// dispatch starts as many deliveries as are due and there are slots for, and returns how many it
// started.
func (s *Service) dispatch(ctx context.Context) (started int, err error) {
	now := s.now()
	subs, err := s.config.Store.ClaimSubscriptions(ctx, s.node, now, now.Add(lease),
		cap(s.slots)-len(s.slots))
	if err != nil {
		return 0, err
	}
	for _, sub := range subs {
		s.begin(func() { s.serve(ctx, sub) })
	}
	notices, err := s.config.Store.ClaimNotices(ctx, s.node, now, now.Add(lease),
		cap(s.slots)-len(s.slots))
	for _, n := range notices {
		s.begin(func() { s.deliverNotice(ctx, n) })
	}
	return len(subs) + len(notices), err
}

func (s *Service) begin(work func()) {
	s.slots <- struct{}{}
	s.workers.Go(func() {
		defer func() {
			<-s.slots
			s.signal(s.slotFreed)
		}()
		work()
	})
}

// serve visits a claimed subscription and then releases the claim.
func (s *Service) serve(ctx context.Context, sub *Subscription) {
	o, err := s.visit(ctx, sub)
	if err != nil {
		// Nothing was tried: leave it as if it had not been claimed.
		o = &Outcome{Delivery: sub.Delivery}
		if ctx.Err() == nil {
			s.config.Log.Error("a subscription could not be looked at; it is tried again",
				"subscription", sub.ID, "err", err)
			o.NotBefore = s.now().Add(tryAgainAfter)
		}
	}
	err = s.config.Store.SettleSubscription(context.WithoutCancel(ctx), s.node, sub.ID, o, s.now())
	switch {
	// it was deleted meanwhile, or the claim expired and another process has it
	case errors.Is(err, ErrNotFound):
	case err != nil:
		s.config.Log.Error("what was delivered could not be written; it is delivered again",
			"subscription", sub.ID, "err", err)
	default:
		s.report(sub, o)
	}
}

// report logs what an operator may want to know about a subscription.
func (s *Service) report(sub *Subscription, o *Outcome) {
	log := s.config.Log.With("subscription", sub.ID, "owner", sub.Owner.ID)
	switch {
	case o.Remove:
		log.Info("subscription removed: it has expired, or its owner's token is not valid any more",
			"expires", sub.Expires)
	case o.Paused && !sub.Paused:
		log.Info("notifications are paused: the owner may not read the resource any more")
	case o.Attempts == 1 && sub.Attempts == 0:
		log.Warn("a receiver does not take notifications; it is tried again", "err", o.LastError)
	case !sub.Trying.IsZero() && o.Trying.IsZero() && o.Attempts > 0 && !o.Paused:
		log.Warn("a receiver takes no notifications; what waited for it is passed over", "since",
			o.Failing, "err", o.LastError)
	}
}

// deliverNotice delivers a lifecycle notification.
func (s *Service) deliverNotice(ctx context.Context, n *Notice) {
	err := s.deliver(ctx, n.URL, n.Secret, n.Body)
	switch now := s.now(); {
	case ctx.Err() != nil: // leave it as if it had not been claimed
	case err == nil, now.Sub(n.Created) >= GiveUpAfter:
		n.NotBefore = time.Time{}
	default:
		n.Attempts++
		n.NotBefore = now.Add(retryWait(n.Attempts))
	}
	if err := s.config.Store.SettleNotice(context.WithoutCancel(ctx), s.node, n); err != nil {
		s.config.Log.Error("a lifecycle notification is delivered again", "subscription",
			n.Subscription, "err", err)
	}
}
