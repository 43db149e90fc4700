package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// noted is what the audit record keeps of a subscription. It leaves out secrets: clientState,
// Secret, and the queries of URLs.
type noted struct {
	Resource     string    `json:"resource"`
	ChangeType   string    `json:"changeType"`
	URL          string    `json:"notificationUrl"`
	LifecycleURL string    `json:"lifecycleNotificationUrl,omitempty"`
	Expires      time.Time `json:"expirationDateTime"`
}

// note adds a change to the audit entry of this write. before is nil if the subscription is
// created, after if it is deleted.
func note(ctx context.Context, before, after *Subscription) {
	o := audit.Object{Type: "subscription", Before: shown(before), After: shown(after)}
	for _, s := range []*Subscription{before, after} {
		if s != nil {
			o.ID, o.Name = s.ID, s.Terms.Resource
		}
	}
	audit.Note(ctx, o)
}

func shown(s *Subscription) json.RawMessage {
	if s == nil {
		return nil
	}
	text, err := json.Marshal(noted{s.Terms.Resource, s.Terms.ChangeType, withoutQuery(s.Terms.URL),
		withoutQuery(s.Terms.LifecycleURL), s.Expires})
	if err != nil {
		// it has only strings and a time
		panic(fmt.Sprintf("notify: a subscription does not marshal: %v", err))
	}
	return text
}

func withoutQuery(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	u.RawQuery = ""
	return u.String()
}
