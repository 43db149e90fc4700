package apple

import (
	"context"
	"encoding/json"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// noteLink tells the audit record that an enrollment link was made: by the fingerprint of its code, never the code.
func noteLink(ctx context.Context, c Challenge) {
	text, _ := json.Marshal(map[string]time.Time{"expiresDateTime": c.Expires}) // a time of our clock marshals
	audit.Note(ctx, audit.Object{Type: "enrollment", ID: c.SHA256, After: text})
}

// notePushCertificate tells the audit record which push certificate was replaced, nil: there was none, and by which.
func notePushCertificate(ctx context.Context, before, after *PushCertificate) {
	audit.Note(ctx, audit.Object{Type: "applePushNotificationCertificate", ID: after.Topic, Name: after.Subject,
		Before: before.noted(), After: after.noted()})
}

func (p *PushCertificate) noted() json.RawMessage {
	if p == nil {
		return nil
	}
	text, _ := json.Marshal(map[string]any{"topicIdentifier": p.Topic, "certificateSerialNumber": p.SerialNumber,
		"expirationDateTime": p.Expires}) // a certificate's times marshal
	return text
}
