package simulator

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"google.golang.org/api/pubsub/v1"
)

// queue is a subscription with what was not acknowledged yet.
type queue struct {
	config   *pubsub.Subscription
	project  string
	messages []*queued
	// Closed, and made anew, when a message comes: who waits for one looks again.
	arrived chan struct{}
}

// queued is a message in one subscription.
type queued struct {
	content  *pubsub.PubsubMessage
	from     time.Time // when it may be delivered first, or again
	ackID    string    // of its last delivery; empty: none
	attempts int64
}

const (
	// maxQueued bounds what a subscription keeps; the oldest is dropped.
	maxQueued          = 100_000
	defaultAckDeadline = 10
	longestAckDeadline = 600
)

// put puts a message into all subscriptions of a topic and returns its id; mu is held.
func (s *Service) put(topic string, content *pubsub.PubsubMessage, at time.Time) string {
	s.counter++
	content.MessageId = strconv.FormatUint(s.counter, 10)
	content.PublishTime = stamp(at)
	for _, q := range s.queues {
		if q.config.Topic != topic {
			continue
		}
		q.messages = append(q.messages, &queued{content: content, from: at})
		if len(q.messages) > maxQueued {
			q.messages = slices.Delete(q.messages, 0, 1)
		}
		close(q.arrived)
		q.arrived = make(chan struct{})
	}
	return content.MessageId
}

// createSubscription: Pub/Sub, projects.subscriptions.create.
func (s *Service) createSubscription(c *call) (any, *failure) {
	if refusal := projectOf(c); refusal != nil {
		return nil, refusal
	}
	body, refusal := readPubSub[pubsub.Subscription](c)
	if refusal != nil {
		return nil, refusal
	}
	if body.AckDeadlineSeconds == 0 {
		body.AckDeadlineSeconds = defaultAckDeadline
	}
	switch {
	case s.queues[c.name] != nil:
		return nil, fail(409, "Subscription already exists: %s", c.name)
	case s.topics[body.Topic] == nil:
		return nil, fail(404, "Subscription topic does not exist: %s", body.Topic)
	case body.AckDeadlineSeconds < defaultAckDeadline ||
		body.AckDeadlineSeconds > longestAckDeadline:
		return nil, badRequest("ack_deadline_seconds", "Invalid ack deadline given "+
			"(ack_deadline_secs=%d). It must be 10 to 600 seconds.", body.AckDeadlineSeconds)
	}
	if refusal := checkPush(body.PushConfig); refusal != nil {
		return nil, refusal
	}
	body.Name, body.State = c.name, "ACTIVE"
	if body.PushConfig == nil {
		body.PushConfig = new(pubsub.PushConfig)
	}
	if body.MessageRetentionDuration == "" {
		body.MessageRetentionDuration = "604800s"
	}
	s.queues[c.name] = &queue{config: body, project: c.project, arrived: make(chan struct{})}
	return body, nil
}

func checkPush(config *pubsub.PushConfig) *failure {
	if config == nil || config.PushEndpoint == "" {
		return nil
	}
	if u, err := url.Parse(config.PushEndpoint); err != nil || u.Host == "" {
		return badRequest("push_config.push_endpoint", "Invalid push endpoint given "+
			"(endpoint=%s).", config.PushEndpoint)
	}
	return nil
}

func (s *Service) queueOf(c *call) (*queue, *failure) {
	if refusal := projectOf(c); refusal != nil {
		return nil, refusal
	}
	if s.queues[c.name] == nil {
		return nil, fail(404, "Subscription does not exist (resource=%s).", c.parts[3])
	}
	return s.queues[c.name], nil
}

func (s *Service) getSubscription(c *call) (any, *failure) {
	q, refusal := s.queueOf(c)
	if refusal != nil {
		return nil, refusal
	}
	return q.config, nil
}

func (s *Service) listSubscriptions(c *call) (any, *failure) {
	if refusal := projectOf(c); refusal != nil {
		return nil, refusal
	}
	names := slices.DeleteFunc(sortedKeys(s.queues),
		func(name string) bool { return s.queues[name].project != c.project })
	return page(c, "subscriptions", names,
		func(name string) *pubsub.Subscription { return s.queues[name].config })
}

func (s *Service) deleteSubscription(c *call) (any, *failure) {
	if _, refusal := s.queueOf(c); refusal != nil {
		return nil, refusal
	}
	delete(s.queues, c.name)
	return message{}, nil
}

func (s *Service) modifyPushConfig(c *call) (any, *failure) {
	q, refusal := s.queueOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readPubSub[pubsub.ModifyPushConfigRequest](c)
	if refusal == nil {
		refusal = checkPush(body.PushConfig)
	}
	if refusal != nil {
		return nil, refusal
	}
	if q.config.PushConfig = body.PushConfig; body.PushConfig == nil {
		q.config.PushConfig = new(pubsub.PushConfig)
	}
	return message{}, nil
}

// acknowledge: Pub/Sub, projects.subscriptions.acknowledge. An id whose message was delivered again
// meanwhile acknowledges nothing, and is no error.
func (s *Service) acknowledge(c *call) (any, *failure) {
	q, refusal := s.queueOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readPubSub[pubsub.AcknowledgeRequest](c)
	if refusal != nil {
		return nil, refusal
	}
	if len(body.AckIds) == 0 {
		return nil, badRequest("ack_ids", "No ack ids specified.")
	}
	given := make(map[string]bool)
	for _, id := range body.AckIds {
		if id == "" {
			return nil, badRequest("ack_ids", "Some acknowledgement ids in the request were "+
				"invalid.")
		}
		given[id] = true
	}
	q.messages = slices.DeleteFunc(q.messages, func(m *queued) bool { return given[m.ackID] })
	return message{}, nil
}

func (s *Service) modifyAckDeadline(c *call) (any, *failure) {
	q, refusal := s.queueOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readPubSub[pubsub.ModifyAckDeadlineRequest](c)
	switch {
	case refusal != nil:
		return nil, refusal
	case body.AckDeadlineSeconds < 0 || body.AckDeadlineSeconds > longestAckDeadline:
		return nil, badRequest("ack_deadline_seconds", "Invalid ack deadline given.")
	}
	for _, m := range q.messages {
		if m.ackID != "" && slices.Contains(body.AckIds, m.ackID) {
			m.from = c.now.Add(time.Duration(body.AckDeadlineSeconds) * time.Second)
		}
	}
	return message{}, nil
}

// Waiting returns how many messages of a subscription are not acknowledged, those included that a
// fault holds back.
func (s *Service) Waiting(subscription string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queues[subscription] == nil {
		return 0
	}
	return len(s.queues[subscription].messages)
}
