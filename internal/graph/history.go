package graph

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// historyRoutes tell what was and, over the whole fleet, what is removed now. None of them is Graph's.
func historyRoutes() []route {
	needs := may(access.ReadDevices)
	paged := []string{optionTop, optionSkipToken}
	return []route{
		{method: "GET", pattern: "/api/devices/{id}/actions", name: "actions.list", resource: managedDevices, options: paged, needs: needs,
			handle: (*call).listActions},
		{method: "GET", pattern: "/api/devices/{id}/actions/{number}/events", name: "actions.events", resource: managedDevices, needs: needs,
			handle: (*call).listActionEvents},
		{method: "GET", pattern: "/api/devices/{id}/enrollments", name: "enrollments.list", resource: managedDevices, needs: needs, handle: (*call).listEnrollments},
		{method: "GET", pattern: "/api/removed", name: "removed.list", options: paged, needs: needs, handle: (*call).listRemoved},
		{method: "GET", pattern: "/api/failures", name: "failures.list", options: []string{optionDays}, needs: needs,
			handle: (*call).listFailures},
	}
}

// listActions is GET /api/devices/{id}/actions: every action of a device, the newest first.
func (c *call) listActions() error {
	size, err := pageSize(c.options)
	if err != nil {
		return err
	}
	var before int64
	if err := c.behind(&before); err != nil {
		return err
	}
	if _, err := c.around(c.r.Context(), c.deviceID()); err != nil {
		return err
	}
	if _, err := c.Devices.Device(c.r.Context(), c.deviceID()); err != nil {
		return err
	}
	list, err := c.History.PastActions(c.r.Context(), c.deviceID(), before, size+1)
	if err != nil {
		return err
	}
	seen, items := c.newSight(), []fields{}
	for _, a := range list[:min(size, len(list))] {
		if a, err = seen.action(c.r.Context(), c.deviceID(), a); err != nil {
			return err
		}
		if a == nil { // the device has left the caller's area meanwhile
			return errHidden{fleet.ErrNotFound}
		}
		items = append(items, append(fields{{"id", a.ID}, {"number", a.Number}, {"initiatedBy", a.Actor}}, ownActionResult(a, c.explain)...))
	}
	var next any
	if size > 0 && len(list) > size {
		next = list[size-1].Number
	}
	return c.ownList(items, next)
}

// listActionEvents is GET /api/devices/{id}/actions/{number}/events: what became of an action, step by step, as far as
// events are kept.
func (c *call) listActionEvents() error {
	ctx := c.r.Context()
	number, err := strconv.ParseInt(c.r.PathValue("number"), 10, 64)
	if err != nil {
		return notFound("There is no action with this number.")
	}
	if _, err := c.around(ctx, c.deviceID()); err != nil {
		return err
	}
	a, err := c.History.PastAction(ctx, c.deviceID(), number)
	if errors.Is(err, fleet.ErrNotFound) {
		return notFound("There is no action with this number.")
	}
	if err != nil {
		return err
	}
	events, err := c.History.ActionEvents(ctx, c.deviceID(), a)
	if err != nil {
		return err
	}
	seen, items := c.newSight(), []fields{}
	for i := range events {
		ok, err := seen.event(ctx, &events[i])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		told, err := seen.change(ctx, &events[i])
		if err != nil {
			return err
		}
		items = append(items, change(told, c.explain))
	}
	return c.ownList(items, nil)
}

// listRemoved is GET /api/removed: what is held off any device now, the newest first.
func (c *call) listRemoved() error {
	size, err := pageSize(c.options)
	if err != nil {
		return err
	}
	q := engine.RemovalQuery{Limit: size + 1}
	if !c.scope.Everything() {
		q.Scope = c.scope
	}
	var after removalPosition
	if err := c.behind(&after); err != nil {
		return err
	}
	if after.Device != "" {
		q.After = &engine.Removal{Device: after.Device, Payload: after.Payload, Since: after.Since}
	}
	list, err := c.History.Removals(c.r.Context(), q)
	if err != nil {
		return err
	}
	items := []fields{}
	for i := range list[:min(size, len(list))] {
		items = append(items, removalFields(&list[i]))
	}
	var next any
	if size > 0 && len(list) > size {
		last := list[size-1]
		next = removalPosition{last.Since, last.Device, last.Payload}
	}
	return c.ownList(items, next)
}

type removalPosition struct {
	Since   time.Time
	Device  fleet.DeviceID
	Payload action.PayloadID
}

func removalFields(r *engine.Removal) fields {
	return fields{
		{"deviceId", r.Device},
		{"deviceName", textOrNull(r.DeviceName)},
		{"payloadId", r.Payload},
		{"payloadType", changeAssignments.typeName(r.Type)},
		{"displayName", textOrNull(r.DisplayName)},
		{"subType", textOrNull(r.SubType)},
		{"removedDateTime", timestamp(r.Since)},
		{"removedBy", r.Actor},
		{"restoreDateTime", timestamp(r.RestoreAt)},
	}
}

const (
	optionDays     = "days"
	defaultDays    = 7
	mostDays       = 90
	hourlyDays     = 3 // up to so many days are told by the hour
	failuresLimit  = 100_000
	failuresBatch  = 500    // that are read at a time
	mostCounts     = 10_000 // of spans of time and codes, which are the devices' own
	recentFailures = 50
)

// listFailures is GET /api/failures: payloads that ended in error, counted by their code over time, and the latest of
// them.
func (c *call) listFailures() error {
	days := defaultDays
	if c.options.Has(optionDays) {
		n, err := strconv.Atoi(c.options.Get(optionDays))
		if err != nil || n < 1 || n > mostDays {
			return badRequest(optionDays, "Query option 'days' must be a number from 1 to %d.", mostDays)
		}
		days = n
	}
	bucket, width := "day", 24*time.Hour
	if days <= hourlyDays {
		bucket, width = "hour", time.Hour
	}
	since := c.Now().UTC().Truncate(width).Add(width - time.Duration(days)*24*time.Hour)
	tell := c.seenFailures
	if c.scope.Everything() {
		tell = c.allFailures
	}
	told, err := tell(c.r.Context(), since, width)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, fields{{"bucket", bucket}, {"startDateTime", timestamp(since)}, {"value", told.countFields(c.explain)},
		{"recent", told.recentFields(c.explain)}, {"complete", told.complete}})
}

type failures struct {
	counts   []engine.FailureCount
	recent   []engine.Failure
	complete bool // it is not only the latest part
}

// allFailures lets the database count, for a caller who sees everything.
func (c *call) allFailures(ctx context.Context, since time.Time, width time.Duration) (f failures, err error) {
	if f.counts, err = c.History.CountFailures(ctx, since, width, failuresLimit, mostCounts); err != nil {
		return f, err
	}
	total := 0
	for _, count := range f.counts {
		total += count.Count
	}
	f.complete = total < failuresLimit && len(f.counts) < mostCounts
	if f.recent, err = c.History.Failures(ctx, nil, since, nil, recentFailures); err != nil {
		return f, err
	}
	return f, c.newSight().named(ctx, f.recent)
}

// seenFailures looks at each failure for whether the caller sees it.
func (c *call) seenFailures(ctx context.Context, since time.Time, width time.Duration) (f failures, err error) {
	seen, counts := c.newSight(), make(map[engine.FailureCount]int) // by all but the count
	var last *engine.Failure
	for looked := 0; looked < failuresLimit && len(counts) < mostCounts && !f.complete; looked += failuresBatch {
		list, err := c.History.Failures(ctx, fleet.Within(c.scope), since, last, failuresBatch)
		if err != nil {
			return f, err
		}
		for i := range list {
			ok, err := seen.event(ctx, &list[i].Event)
			if err != nil {
				return f, err
			}
			if !ok {
				continue
			}
			counts[engine.FailureCount{At: list[i].At.Truncate(width), Code: list[i].Result.WhoseCode()}]++
			if len(f.recent) < recentFailures {
				f.recent = append(f.recent, list[i])
			}
		}
		if f.complete = len(list) < failuresBatch; !f.complete {
			last = &list[len(list)-1]
		}
	}
	for count, n := range counts {
		count.Count = n
		f.counts = append(f.counts, count)
	}
	slices.SortFunc(f.counts, func(a, b engine.FailureCount) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Code.Number, b.Code.Number), cmp.Compare(a.Code.Source, b.Code.Source))
	})
	return f, seen.named(ctx, f.recent)
}

func (f *failures) countFields(x explainer) []fields {
	items := make([]fields, len(f.counts))
	for i, count := range f.counts {
		items[i] = fields{{"dateTime", timestamp(count.At)}, {"errorCode", count.Code.Number}, {"errorSource", sourceOf(count.Code)},
			{"count", count.Count}}
		if meaning := x.explain(count.Code, "")[0]; meaning.value != nil {
			items[i] = append(items[i], meaning)
		}
	}
	return items
}

func (f *failures) recentFields(x explainer) []fields {
	items := make([]fields, len(f.recent))
	for i := range f.recent {
		items[i] = failureFields(&f.recent[i], x)
	}
	return items
}

func failureFields(f *engine.Failure, x explainer) fields {
	return append(fields{
		{"dateTime", timestamp(f.At)},
		{"deviceId", f.Device},
		{"deviceName", textOrNull(f.DeviceName)},
		{"payloadId", f.Result.Payload},
		{"payloadType", changeAssignments.typeName(f.Result.Type)},
		{"displayName", textOrNull(f.Result.DisplayName)},
		{"subType", textOrNull(f.Result.SubType)},
		{"errorCode", f.Result.Code},
		{"errorSource", sourceOf(f.Result.WhoseCode())},
		{"detail", shownDetail(f.Result.Detail)},
	}, x.explain(f.Result.WhoseCode(), f.Result.Detail)...)
}

// ownList answers with a page of a list that is not Graph's. next is where the next page begins; nil: this is the last.
func (c *call) ownList(items []fields, next any) error {
	body := fields{}
	if next != nil {
		position, err := json.Marshal(next)
		if err != nil {
			return err
		}
		options := url.Values{optionSkipToken: {base64.RawURLEncoding.EncodeToString(position)}}
		if c.options.Has(optionTop) {
			options.Set(optionTop, c.options.Get(optionTop))
		}
		body = append(body, field{"@odata.nextLink", c.base() + c.r.URL.Path + "?" + options.Encode()})
	}
	return c.reply(http.StatusOK, append(body, field{"value", items}))
}

// behind reads $skiptoken of a list that is not Graph's.
func (c *call) behind(position any) error {
	if !c.options.Has(optionSkipToken) {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(c.options.Get(optionSkipToken))
	if err == nil {
		err = json.Unmarshal(text, position)
	}
	if err != nil {
		return badSkipToken()
	}
	return nil
}
