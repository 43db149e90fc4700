package console

import (
	"encoding/json"
	"html/template"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// androidHealth is how Android stands, as the API tells it.
type androidHealth struct {
	android
	Waiting  int       `json:"waiting"`
	Messages time.Time `json:"messagesDateTime"`
	Listed   time.Time `json:"listedDateTime"`
}

// androidHealthPart is what the page of the server's health shows of it.
type androidHealthPart struct {
	androidHealth
	Messages, Listed moment
	Refused          []shownRefusal // the last refusal of each kind, the newest first
	MayRead          bool
}

// shownRefusal is what Google refused, with when.
type shownRefusal struct {
	androidRefusal
	When moment
}

// androidHealth is empty as long as nobody has begun to set Android up.
func (v *visit) androidHealth(answer json.RawMessage) (template.HTML, error) {
	var health struct {
		Android *androidHealth `json:"android"`
	}
	if err := json.Unmarshal(answer, &health); err != nil || health.Android == nil {
		return "", err
	}
	a := health.Android
	part := androidHealthPart{androidHealth: *a, Messages: v.moment(a.Messages),
		Listed: v.moment(a.Listed), MayRead: v.may(access.ReadAndroid)}
	for _, r := range a.Refusals {
		part.Refused = append(part.Refused, shownRefusal{r, v.moment(r.At)})
	}
	return v.part("android-health", part)
}
