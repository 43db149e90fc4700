package console

import (
	"fmt"
	"testing"
	"time"
)

func TestTimeline(t *testing.T) {
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	event := func(after time.Duration, id, status, step string) actionEvent {
		return actionEvent{Type: "payloadChanged", At: begin.Add(after),
			Item: &payloadResult{ItemID: id, ItemStatus: status, Step: step,
				ItemDetail: "words for people"}}
	}
	events := []actionEvent{{Type: "actionStarted", At: begin},
		event(0, "a", "initiated", "asked"), event(0, "b", "removed", "verified"),
		event(time.Second, "a", "inProgress", "sent"),
		event(2*time.Second, "a", "inProgress", "failing"),
		event(62*time.Second, "a", "inProgress", "acknowledged"),
		event(100*time.Second, "a", "removed", "verified"),
		{Type: "actionChanged", At: begin.Add(100 * time.Second)}}
	got := newTimeline("a", events)
	want := "[{asked +0 ms} {sent +1.0 s} {failed, tried again +2.0 s} {acknowledged +1 min 02 s} {verified: removed +1 min 40 s}]" +
		"[{0 9.88 waiting} {9.88 9.88 sent} {19.76 592.8 again} {612.56 375.44 verifying} {988 12 off}]"
	if text := fmt.Sprint(got.Steps) + fmt.Sprint(rounded(got.Segments)); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if got := newTimeline("b", events); fmt.Sprint(got.Steps,
		got.Segments) != "[{off already +0 ms}] [{0 12 off}]" {
		t.Errorf("off already: %+v", got)
	}
	if got := newTimeline("a", events[:2]); len(got.Segments) != 1 ||
		got.Segments[0].Width != timelineWidth {
		t.Errorf("just asked: %+v", got)
	}
	if newTimeline("c", events) != nil || newTimeline("a", nil) != nil {
		t.Error("there is a timeline without events")
	}
}

func rounded(list []segment) []segment {
	for i := range list {
		list[i].X, list[i].Width = float64(int(list[i].X*100+.5))/100,
			float64(int(list[i].Width*100+.5))/100
	}
	return list
}

func TestMoments(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for d, want := range map[time.Duration]string{0: "just now", -3 * time.Second: "in 3 seconds",
		59 * time.Second: "59 seconds ago",
		time.Minute:      "1 minute ago", -8 * time.Hour: "in 8 hours",
		49 * time.Hour:        "2 days ago",
		-800 * 24 * time.Hour: "in 2 years"} {
		if got := (moment{now.Add(-d), now}).Relative(); got != want {
			t.Errorf("%s: %q; want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{8 * time.Hour: "8 hours",
		90 * time.Minute: "1 hour 30 minutes", 0: "0 seconds",
		25 * time.Hour: "1 day 1 hour", time.Second: "1 second"} {
		if got := exactly(d); got != want {
			t.Errorf("%s: %q; want %q", d, got, want)
		}
	}
}
