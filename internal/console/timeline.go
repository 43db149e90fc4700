package console

import (
	"cmp"
	"net/url"
	"strconv"
	"time"
)

// actionEvent is an event of an action, as the stream has it.
type actionEvent struct {
	Type    string         `json:"type"`
	At      time.Time      `json:"dateTime"`
	Payload *payloadResult `json:"deviceActionPayload"`
	Item    *payloadResult `json:"deviceAssignmentItem"`
}

func (e *actionEvent) result() *payloadResult {
	if e.Item != nil {
		return e.Item
	}
	return e.Payload
}

// actionEvents reads what became of an action; empty if that is not kept any more.
func (v *visit) actionEvents(device string, number int64) ([]actionEvent, error) {
	var list struct{ Value []actionEvent }
	err := v.get("/api/devices/"+url.PathEscape(device)+"/actions/"+strconv.FormatInt(number,
		10)+"/events", nil, &list)
	return list.Value, err
}

// timeline is what became of one payload in an action, as a picture and in words.
type timeline struct {
	Steps    []timelineStep
	Segments []segment
}

// timelineStep is one change.
type timelineStep struct {
	Text  string
	After string // how long after the beginning of the action
}

// segment is a piece of the picture, in the units of its coordinates, between two steps.
type segment struct {
	X, Width float64
	Class    string // waiting, sent, verifying, again, off, good, bad
}

// The coordinates of the picture. The sign of the end is wide enough to be seen however little time
// the rest took.
const (
	timelineWidth = 1000.0
	signWidth     = 12.0
)

// newTimeline draws a payload's part of an action. All payloads of the action are drawn to the same
// scale, from its first event to its last. It is nil if there is no event of the payload.
func newTimeline(payload string, events []actionEvent) *timeline {
	if len(events) == 0 {
		return nil
	}
	begin, end := events[0].At, events[len(events)-1].At
	at := func(t time.Time) float64 {
		if !end.After(begin) {
			return 0
		}
		return float64(t.Sub(begin)) / float64(end.Sub(begin)) * (timelineWidth - signWidth)
	}
	var t timeline
	for i := range events {
		p := events[i].result()
		if p == nil || p.id() != payload {
			continue
		}
		text, class := stepOf(p, len(t.Steps) == 0)
		x := at(events[i].At)
		if n := len(t.Segments); n > 0 {
			t.Segments[n-1].Width = x - t.Segments[n-1].X
		}
		t.Steps = append(t.Steps, timelineStep{text, "+" + short(events[i].At.Sub(begin))})
		t.Segments = append(t.Segments, segment{X: x, Width: signWidth, Class: class})
		if !p.ended() {
			t.Segments[len(t.Segments)-1].Width = timelineWidth - x // until a later step cuts it
		}
	}
	if len(t.Steps) == 0 {
		return nil
	}
	return &t
}

// stepOf says what an event tells, and what is going on from then on.
func stepOf(p *payloadResult, first bool) (text, class string) {
	switch {
	case p.status() == "removed" && first:
		return "off already", "off"
	case p.status() == "removed":
		return "verified: removed", "off"
	case p.status() == "succeeded":
		return "verified: restored", "good"
	case p.status() == "error":
		return "error", "bad"
	}
	if known, ok := openSteps[p.Step]; ok {
		return cmp.Or(known.text, p.detail()), known.class
	}
	return cmp.Or(p.detail(), "in progress"), "sent" // a step of a later server
}

// openSteps say what a payload's step means while its part of the action goes on. One without a
// text is told in the words of its detail.
var openSteps = map[string]struct{ text, class string }{
	"asked":        {"asked", "waiting"},
	"unwakeable":   {"", "waiting"},
	"handedOver":   {"handed over, not taken by the device yet", "sent"},
	"sent":         {"sent", "sent"},
	"replacing":    {"", "verifying"},
	"notNow":       {"not now", "waiting"},
	"failing":      {"failed, tried again", "again"},
	"acknowledged": {"acknowledged", "verifying"},
	"settling":     {"", "verifying"},
}
