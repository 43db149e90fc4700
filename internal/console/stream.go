package console

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// deviceEvents tells the script when something on a device changes.
func (v *visit) deviceEvents() error {
	return v.events(ownDevicePath(v.r.PathValue("id")) +
		"/events")
}

// fleetEvents tells it when something on any device does.
func (v *visit) fleetEvents() error { return v.events("/api/events") }

// events passes on a stream of the API until the visitor goes, the session ends, or what they may
// do changes. Then the browser comes again, and is let in or not.
func (v *visit) events(path string) error {
	ctx, cut := context.WithCancel(v.r.Context())
	defer cut()
	r, err := v.request(v.r.Method, path, nil, http.NoBody)
	if err != nil {
		return err
	}
	r = r.WithContext(access.WithPrincipal(ctx, v.caller))
	r.Header.Set("Accept", "text/event-stream")
	if last := v.r.Header.Get("Last-Event-ID"); last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	go v.guard(ctx, cut)
	v.config.API.ServeHTTP(v.w, r)
	return nil
}

// guard cuts a stream when its visitor may not go on reading it.
func (v *visit) guard(ctx context.Context, cut context.CancelFunc) {
	tick := time.NewTicker(v.config.Recheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		caller, err := v.admit(ctx, v.secret, v.config.Sessions.Check)
		if err != nil || !reflect.DeepEqual(caller, v.caller) {
			cut()
			return
		}
	}
}
