package simulator

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/pubsub/v1"
)

// The account that AMAPI publishes with, and the role that it needs (AMAPI, "Notifications").
const (
	publisher     = "serviceAccount:android-cloud-policy@system.gserviceaccount.com"
	publisherRole = "roles/pubsub.publisher"
)

// topic is a Pub/Sub topic. Its messages are in the queues of its subscriptions.
type topic struct {
	project string
	policy  *pubsub.Policy
}

// projectOf refuses a caller of another project.
func projectOf(c *call) *failure {
	if c.parts[1] != c.project {
		return fail(403, "User not authorized to perform this action.")
	}
	return nil
}

func (s *Service) createTopic(c *call) (any, *failure) {
	if refusal := projectOf(c); refusal != nil {
		return nil, refusal
	}
	if _, refusal := readPubSub[pubsub.Topic](c); refusal != nil {
		return nil, refusal
	}
	if s.topics[c.name] != nil {
		return nil, fail(409, "Topic already exists: %s", c.name)
	}
	s.topics[c.name] = &topic{project: c.project, policy: new(pubsub.Policy)}
	return &pubsub.Topic{Name: c.name}, nil
}

// readPubSub reads the body of a Pub/Sub request. Unknown fields are refused.
func readPubSub[T any](c *call) (*T, *failure) {
	body := c.body
	if len(body) == 0 {
		body = []byte("{}")
	}
	read := new(T)
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(read); err != nil {
		return nil, badRequest("", "Invalid JSON payload received. %v", err)
	}
	return read, nil
}

func (s *Service) topicOf(c *call) (*topic, *failure) {
	if refusal := projectOf(c); refusal != nil {
		return nil, refusal
	}
	if s.topics[c.name] == nil {
		return nil, fail(404, "Topic not found (resource=%s).", c.parts[3])
	}
	return s.topics[c.name], nil
}

func (s *Service) getTopic(c *call) (any, *failure) {
	if _, refusal := s.topicOf(c); refusal != nil {
		return nil, refusal
	}
	return &pubsub.Topic{Name: c.name}, nil
}

func (s *Service) listTopics(c *call) (any, *failure) {
	if refusal := projectOf(c); refusal != nil {
		return nil, refusal
	}
	names := slices.DeleteFunc(sortedKeys(s.topics),
		func(name string) bool { return s.topics[name].project != c.project })
	return page(c, "topics", names,
		func(name string) *pubsub.Topic { return &pubsub.Topic{Name: name} })
}

// deleteTopic leaves its subscriptions without a topic.
func (s *Service) deleteTopic(c *call) (any, *failure) {
	if _, refusal := s.topicOf(c); refusal != nil {
		return nil, refusal
	}
	delete(s.topics, c.name)
	for _, q := range s.queues {
		if q.config.Topic == c.name {
			q.config.Topic = "_deleted-topic_"
		}
	}
	return message{}, nil
}

func (s *Service) getIAMPolicy(c *call) (any, *failure) {
	t, refusal := s.topicOf(c)
	if refusal != nil {
		return nil, refusal
	}
	return t.policy, nil
}

func (s *Service) setIAMPolicy(c *call) (any, *failure) {
	t, refusal := s.topicOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readPubSub[pubsub.SetIamPolicyRequest](c)
	switch {
	case refusal != nil:
		return nil, refusal
	case body.Policy == nil:
		return nil, badRequest("policy", "The policy must be set.")
	case body.Policy.Etag != "" && body.Policy.Etag != t.policy.Etag:
		return nil, fail(409, "There were concurrent policy changes. Please retry the whole "+
			"read-modify-write with exponential backoff.")
	}
	s.counter++
	body.Policy.Etag = base64.StdEncoding.EncodeToString([]byte(strconv.FormatUint(s.counter, 10)))
	t.policy = body.Policy
	return t.policy, nil
}

// mayPublish tells whether AMAPI can publish to a topic; mu is held.
func (s *Service) mayPublish(name string) *failure {
	t := s.topics[name]
	if t != nil {
		for _, binding := range t.policy.Bindings {
			if binding.Role == publisherRole && slices.Contains(binding.Members, publisher) {
				return nil
			}
		}
	}
	return badRequest("enterprise.pubsub_topic", "Invalid value at 'enterprise.pubsub_topic': "+
		"%s cannot publish to %s.", publisher, name)
}

// publishMessages: Pub/Sub, projects.topics.publish.
func (s *Service) publishMessages(c *call) (any, *failure) {
	if _, refusal := s.topicOf(c); refusal != nil {
		return nil, refusal
	}
	body, refusal := readPubSub[pubsub.PublishRequest](c)
	if refusal != nil {
		return nil, refusal
	}
	if len(body.Messages) == 0 || len(body.Messages) > 1000 {
		return nil, badRequest("messages", "The request must have 1 to 1000 messages.")
	}
	answer := new(pubsub.PublishResponse)
	for _, m := range body.Messages {
		if m.Data == "" && len(m.Attributes) == 0 {
			return nil, badRequest("messages", "One or more messages in the publish request is "+
				"empty. Each message must contain either non-empty data, or at least one "+
				"attribute.")
		}
		if _, err := base64.StdEncoding.DecodeString(m.Data); err != nil {
			return nil, badRequest("messages.data", "Invalid value (TYPE_BYTES)")
		}
	}
	for _, m := range body.Messages {
		answer.MessageIds = append(answer.MessageIds, s.put(c.name, m, c.now))
	}
	return answer, nil
}

// notify publishes a notification of an enterprise that wants its type; mu is held.
func (s *Service) notify(e *enterprise, kind string, data []byte, at time.Time) {
	if slices.Contains(e.notifies, kind) {
		s.publish(e.topic, kind, data, at)
	}
}

// publish puts one of AMAPI's messages into a topic, if it may; mu is held.
func (s *Service) publish(name, kind string, data []byte, at time.Time) {
	if s.mayPublish(name) != nil {
		return
	}
	s.put(name, &pubsub.PubsubMessage{Attributes: map[string]string{"notificationType": kind},
		Data: base64.StdEncoding.EncodeToString(data)}, at)
}

// Publish puts a message into the topic of an enterprise, as AMAPI does with notifications of any
// type: ENTERPRISE_UPGRADE, USAGE_LOGS, or one that is made up.
func (s *Service) Publish(enterprise, kind string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.enterprises[enterprise]; e != nil {
		s.publish(e.topic, kind, data, s.options.Now())
	}
}
