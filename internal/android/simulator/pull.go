package simulator

import (
	"fmt"
	"time"

	"google.golang.org/api/pubsub/v1"
)

// looksAgain is how often a waiting pull looks whether the clock has brought a message, in real
// time.
const looksAgain = 20 * time.Millisecond

// pull: Pub/Sub, projects.subscriptions.pull. Unless it is to return at once, it waits for a
// message for Options.PullWait. It takes mu itself.
func (s *Service) pull(c *call) ([]byte, *failure) {
	body, refusal := readPubSub[pubsub.PullRequest](c)
	switch {
	case refusal != nil:
		return nil, refusal
	case body.MaxMessages < 1:
		return nil, badRequest("max_messages", "Invalid max_messages given: it must be positive.")
	}
	patience := time.NewTimer(s.options.PullWait)
	defer patience.Stop()
	for {
		answer, arrived, refusal := s.take(c, int(min(body.MaxMessages, 1000)))
		switch {
		case refusal != nil:
			return nil, refusal
		case len(answer.ReceivedMessages) > 0, body.ReturnImmediately, s.options.PullWait <= 0:
			return encode(answer), nil
		}
		again := time.NewTimer(looksAgain)
		select {
		case <-arrived:
		case <-again.C:
		case <-patience.C:
			return encode(answer), nil
		case <-c.request.Context().Done():
			return encode(answer), nil
		}
		again.Stop()
	}
}

// take delivers what there is, and otherwise tells when to look again.
func (s *Service) take(c *call, most int) (*pubsub.PullResponse, <-chan struct{}, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.advance(now)
	q, refusal := s.queueOf(c)
	if refusal != nil {
		return nil, nil, refusal
	}
	answer := new(pubsub.PullResponse)
	for _, m := range s.deliver(q, most, now) {
		answer.ReceivedMessages = append(answer.ReceivedMessages, &pubsub.ReceivedMessage{
			AckId: m.ackID, Message: m.content})
	}
	return answer, q.arrived, nil
}

// deliver takes messages that are due out of a queue until their deadline; mu is held.
func (s *Service) deliver(q *queue, most int, now time.Time) []*queued {
	var due []*queued
	for _, m := range q.messages {
		if !now.Before(m.from) {
			due = append(due, m)
		}
	}
	if s.options.Unordered {
		s.random.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	}
	due = due[:min(most, len(due))]
	for _, m := range due {
		m.attempts++
		m.ackID = fmt.Sprintf("%s-%d", m.content.MessageId, m.attempts)
		m.from = now.Add(time.Duration(q.config.AckDeadlineSeconds) * time.Second)
	}
	return due
}
