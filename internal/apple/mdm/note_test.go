package mdm_test

import (
	"bytes"
	"encoding/json"
	"path"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// What an admin does to the channel is noted, and no secret of it.
func TestNotesHoldNoSecrets(t *testing.T) {
	s := newServer(t)
	d := &audit.Draft{}
	ctx := audit.With(t.Context(), d)
	link, _, err := s.channel.EnrollmentLink(ctx, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	first, firstKey := pushCertificate(t, 1, topic, time.Hour)
	second, secondKey := pushCertificate(t, 2, topic, 2*time.Hour)
	for i, pair := range [][2][]byte{{first, firstKey}, {second, secondKey}} {
		if _, err := s.channel.SetPushCertificate(ctx, pair[0], pair[1]); err != nil {
			t.Fatal(err)
		}
		o := d.Complete().Objects[1]
		if o.Type != "applePushNotificationCertificate" || o.ID != topic ||
			(o.Before == nil) != (i == 0) || o.After == nil {
			t.Errorf("noted %+v", o)
		}
	}
	objects := d.Complete().Objects
	text, err := json.Marshal(objects)
	if err != nil || len(objects) != 2 || objects[0].Type != "enrollment" {
		t.Fatalf("noted %s, %v", text, err)
	}
	if _, err := s.store.Challenge(ctx, objects[0].ID); err != nil {
		t.Errorf("the link is noted as %s, by which nothing finds it: %v", objects[0].ID, err)
	}
	for _, secret := range []string{path.Base(link), "PRIVATE KEY"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the notes hold %.20s", secret)
		}
	}
}
