package client

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"time"
)

const (
	liveInterval    = 400 * time.Millisecond // while an action is in force
	restInterval    = 2 * time.Second        // while none is
	outageTolerance = time.Minute            // a server that restarts does not end a watch
)

// Watch yields the device's latest action of each name, the latest first: at once as they are, and again whenever
// anything in them has changed. It ends when the caller breaks off, and after an error: ctx's, an *Error, or that the
// server could not be reached for a minute.
func (c *Client) Watch(ctx context.Context, deviceID string) iter.Seq2[[]ActionResult, error] {
	return func(yield func([]ActionResult, error) bool) {
		var last []ActionResult
		var failing time.Time // since when; zero: it is not
		for first := true; ; {
			results, err := c.ActionResults(ctx, deviceID)
			switch {
			case err == nil:
				failing = time.Time{}
				if (first || !slices.EqualFunc(last, results, same)) && !yield(results, nil) {
					return
				}
				last, first = results, false
			case !passing(ctx, err) || !failing.IsZero() && time.Since(failing) > outageTolerance:
				yield(nil, err)
				return
			case failing.IsZero():
				failing = time.Now()
			}
			interval := restInterval
			if err == nil && slices.ContainsFunc(last, func(r ActionResult) bool { return !r.State.Final() }) {
				interval = liveInterval
			}
			if err := sleep(ctx, interval); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// ActionResults returns the device's latest action of each name, the latest first.
func (c *Client) ActionResults(ctx context.Context, deviceID string) ([]ActionResult, error) {
	var d Device
	err := c.Do(ctx, http.MethodGet, devicePath(deviceID)+"?$select=id,deviceActionResults", nil, &d)
	return d.ActionResults, err
}

func same(a, b ActionResult) bool { return bytes.Equal(a.raw, b.raw) }

// passing tells whether an error may be over soon: no answer, or one that is not the caller's fault.
func passing(ctx context.Context, err error) bool {
	var answer *Error
	if errors.As(err, &answer) {
		return answer.Status >= http.StatusInternalServerError || answer.Status == http.StatusTooManyRequests
	}
	return ctx.Err() == nil
}
