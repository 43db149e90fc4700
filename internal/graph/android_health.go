package graph

import (
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// androidSilence is after how long without an answer to the question for messages, or without a
// list of all devices, people are warned: the list is made every hour.
const androidSilence = 3 * time.Hour

// androidHealth tells how the server and Google get on; nil: nobody has begun to set Android up. A
// failure is an answer; what it was is for the log.
func (c *call) androidHealth() (shown any, warnings []string) {
	h, err := c.config.Android.AndroidHealth(c.req.Context())
	switch {
	case err != nil:
		c.config.Log.Error("how Android is set up cannot be read", "request-id", c.req.ID, "err",
			err)
		return nil, []string{
			"How Android is set up cannot be read. The server's log has the cause."}
	case h.Step == androidNotStarted:
		return nil, nil
	}
	return append(androidFields(h),
		odata.Field{"waiting", h.Waiting},
		odata.Field{"pausedUntilDateTime", odata.Timestamp(h.PausedUntil)},
		odata.Field{"messagesDateTime", odata.Timestamp(h.Pulled)},
		odata.Field{"listedDateTime", odata.Timestamp(h.Listed)},
	), androidWarnings(h, c.config.Now())
}

func androidWarnings(h *AndroidHealth, now time.Time) (warnings []string) {
	say := func(format string, args ...any) {
		warnings = append(warnings, fmt.Sprintf(format, args...))
	}
	if h.Step != androidReady {
		say("The set-up of Android was begun and is not finished: no Android device can enroll.")
	}
	if h.PullFailure != "" {
		say("Google's messages about Android devices do not come, so what devices did is learned later, once an hour: %s.",
			h.PullFailure)
	}
	if now.Before(h.PausedUntil) {
		say("Google answered that there were too many requests: Android devices wait until %s.",
			minute(h.PausedUntil))
	}
	if r := h.Refusal; r != nil && now.Sub(r.At) < day {
		say("At %s, for Android: %s.", minute(r.At), r.Error())
	}
	if !h.Listed.IsZero() && now.Sub(h.Listed) > androidSilence {
		say("Android devices were last listed at %s: who left management since is not known.",
			minute(h.Listed))
	}
	return warnings
}
