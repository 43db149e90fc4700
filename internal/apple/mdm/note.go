package mdm

import (
	"context"
	"encoding/json"

	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// noteLink tells the audit record that an enrollment link was made: by the fingerprint of its code,
// never the code.
func noteLink(ctx context.Context, c Challenge) {
	audit.Note(ctx, audit.Object{Type: linkObject, ID: c.SHA256, After: c.noted()})
}

const linkObject = "enrollment"

// noted is what the audit record keeps of a link.
func (c *Challenge) noted() json.RawMessage {
	noted := map[string]any{"expiresDateTime": c.Expires}
	for name, value := range map[string]string{"madeBy": c.Terms.Maker, "for": c.Terms.For,
		"groupId": c.Terms.Group} {
		if value != "" {
			noted[name] = value
		}
	}
	if c.Terms.Replace {
		noted["replace"] = true
	}
	text, _ := json.Marshal(noted) // texts and a time of our clock marshal
	return text
}

// notePushCertificate tells the audit record which push certificate was replaced, nil: there was
// none, and by which.
func notePushCertificate(ctx context.Context, before, after *PushCertificate) {
	audit.Note(ctx, audit.Object{Type: "applePushNotificationCertificate", ID: after.Topic,
		Name:   after.Subject,
		Before: before.noted(), After: after.noted()})
}

func (p *PushCertificate) noted() json.RawMessage {
	if p == nil {
		return nil
	}
	text, _ := json.Marshal(map[string]any{"topicIdentifier": p.Topic,
		"certificateSerialNumber": p.SerialNumber,
		"expirationDateTime":      p.Expires}) // a certificate's times marshal
	return text
}
