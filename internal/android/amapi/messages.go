package amapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/pubsub/v1"
)

// messenger is Google's account that publishes the messages about devices (Google, "Set up Pub/Sub
// notifications").
const messenger = "serviceAccount:android-cloud-policy@system.gserviceaccount.com"

const publisherRole = "roles/pubsub.publisher"

// toldOf are the kinds of messages that are asked for.
var toldOf = []string{"ENROLLMENT", "STATUS_REPORT"}

// makeMessages lets Google's account publish what happens to devices, and lets the server have it.
func (c *Channel) makeMessages(ctx context.Context, g *google, s *Setup, d Delivery) error {
	if s.Told && s.Delivery == d {
		return nil
	}
	id := "syncpayloads-" + strings.TrimPrefix(s.Enterprise, "enterprises/")
	s.Topic = "projects/" + s.Project + "/topics/" + id
	s.Subscription = "projects/" + s.Project + "/subscriptions/" + id
	s.Delivery, s.PushURL = d, ""
	push := &pubsub.PushConfig{}
	if d == Push {
		s.PushURL = c.config.URL + pushPath
		push = &pubsub.PushConfig{PushEndpoint: s.PushURL, OidcToken: &pubsub.OidcToken{
			Audience: s.PushURL, ServiceAccountEmail: g.email}}
	}
	if err := g.openTopic(ctx, s.Topic); err != nil {
		return err
	}
	if err := g.subscribe(ctx, s.Subscription, s.Topic, push); err != nil {
		return err
	}
	err := g.ask(ctx, "have the enterprise tell of its devices", func(ctx context.Context) error {
		_, err := g.amapi.Enterprises.Patch(s.Enterprise, &androidmanagement.Enterprise{
			PubsubTopic: s.Topic, EnabledNotificationTypes: toldOf}).
			UpdateMask("pubsubTopic,enabledNotificationTypes").Context(ctx).Do()
		return err
	})
	if err != nil {
		return err
	}
	s.Told = true
	return c.keep(ctx, s)
}

// openTopic makes a topic on which Google's account may publish.
func (g *google) openTopic(ctx context.Context, name string) error {
	topics := g.pubsub.Projects.Topics
	err := g.askAtOnce(ctx, "make a Pub/Sub topic", func(ctx context.Context) error {
		_, err := topics.Create(name, &pubsub.Topic{}).Context(ctx).Do()
		return orThere(err)
	})
	if err != nil {
		return err
	}
	return g.askAtOnce(ctx, "let Google publish on a Pub/Sub topic",
		func(ctx context.Context) error {
			policy, err := topics.GetIamPolicy(name).Context(ctx).Do()
			if err != nil {
				return err
			}
			if slices.ContainsFunc(policy.Bindings, func(b *pubsub.Binding) bool {
				return b.Role == publisherRole && slices.Contains(b.Members, messenger) &&
					b.Condition == nil
			}) {
				return nil
			}
			policy.Bindings = append(policy.Bindings, &pubsub.Binding{Role: publisherRole,
				Members: []string{messenger}})
			_, err = topics.SetIamPolicy(name, &pubsub.SetIamPolicyRequest{Policy: policy}).
				Context(ctx).Do()
			return err
		})
}

// ackDeadline is how long Google waits for a message to be taken, in seconds.
const ackDeadline = 60

// subscribe makes a subscription, or changes how one delivers.
func (g *google) subscribe(ctx context.Context, name, topic string,
	push *pubsub.PushConfig) error {
	return g.askAtOnce(ctx, "subscribe to a Pub/Sub topic", func(ctx context.Context) error {
		subscriptions := g.pubsub.Projects.Subscriptions
		_, err := subscriptions.Create(name, &pubsub.Subscription{Topic: topic, PushConfig: push,
			AckDeadlineSeconds: ackDeadline, MessageRetentionDuration: "604800s",
			ExpirationPolicy: &pubsub.ExpirationPolicy{}}).Context(ctx).Do() // it never expires
		if err == nil || orThere(err) != nil {
			return err
		}
		_, err = subscriptions.ModifyPushConfig(name,
			&pubsub.ModifyPushConfigRequest{PushConfig: push}).Context(ctx).Do()
		return err
	})
}

// orThere is nil if Google says that what was to be made is there already.
func orThere(err error) error {
	var answer *googleapi.Error
	if errors.As(err, &answer) && answer.Code == http.StatusConflict {
		return nil
	}
	return err
}
