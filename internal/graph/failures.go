package graph

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// optionDays is how many days of failures are wanted.
const optionDays = "days"

const (
	defaultDays    = 7
	mostDays       = 90
	hourlyDays     = 3       // up to so many days are counted by the hour
	failuresLimit  = 100_000 // that are counted
	failuresBatch  = 500     // that are read at a time
	mostCounts     = 10_000  // of spans of time and codes, which are the devices' own
	recentFailures = 50      // that are shown one by one
)

// listFailures is GET /api/failures: payloads that ended in error, counted by their code over time,
// and the latest of them.
func (c *call) listFailures() error {
	days := defaultDays
	if c.req.Options.Has(optionDays) {
		n, err := strconv.Atoi(c.req.Options.Get(optionDays))
		if err != nil || n < 1 || n > mostDays {
			return odata.BadRequest(optionDays,
				"Query option 'days' must be a number from 1 to %d.", mostDays)
		}
		days = n
	}
	bucket, width := "day", 24*time.Hour
	if days <= hourlyDays {
		bucket, width = "hour", time.Hour
	}
	since := c.config.Now().UTC().Truncate(width).Add(width - time.Duration(days)*24*time.Hour)
	read := c.seenFailures
	if c.scope.Everything() {
		read = c.allFailures
	}
	found, err := read(c.req.Context(), since, width)
	if err != nil {
		return err
	}
	return c.req.Reply(http.StatusOK, odata.Fields{{"bucket", bucket},
		{"startDateTime", odata.Timestamp(since)}, {"value", found.countFields(c.server.explain)},
		{"recent", found.recentFields(c.server.explain)}, {"complete", found.complete}})
}

type failures struct {
	counts   []engine.FailureCount
	recent   []engine.Failure
	complete bool // it is not only the latest part
}

// allFailures lets the database count, for a caller who sees everything.
func (c *call) allFailures(ctx context.Context, since time.Time,
	width time.Duration) (f failures, err error) {
	if f.counts, err = c.config.History.CountFailures(ctx, since, width, failuresLimit,
		mostCounts); err != nil {
		return f, err
	}
	total := 0
	for _, count := range f.counts {
		total += count.Count
	}
	f.complete = total < failuresLimit && len(f.counts) < mostCounts
	if f.recent, err = c.config.History.Failures(ctx, nil, since, nil, recentFailures); err != nil {
		return f, err
	}
	return f, c.newSight().nameFailures(ctx, f.recent)
}

// seenFailures looks at each failure for whether the caller sees it.
func (c *call) seenFailures(ctx context.Context, since time.Time,
	width time.Duration) (f failures, err error) {
	seen, counts := c.newSight(), make(map[engine.FailureCount]int) // by all but the count
	var last *engine.Failure
	for looked := 0; looked < failuresLimit && len(counts) < mostCounts &&
		!f.complete; looked += failuresBatch {
		list, err := c.config.History.Failures(ctx, fleet.Within(c.scope), since, last,
			failuresBatch)
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
			counts[engine.FailureCount{At: list[i].At.Truncate(width),
				Code: list[i].Result.WhoseCode()}]++
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
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Code.Number, b.Code.Number),
			cmp.Compare(a.Code.Source, b.Code.Source))
	})
	return f, seen.nameFailures(ctx, f.recent)
}

func (f *failures) countFields(x explainer) []odata.Fields {
	items := make([]odata.Fields, len(f.counts))
	for i, count := range f.counts {
		items[i] = odata.Fields{{"dateTime", odata.Timestamp(count.At)},
			{"errorCode", count.Code.Number}, {"errorSource", sourceOf(count.Code)},
			{"count", count.Count}}
		if meaning := x.explain(count.Code, "")[0]; meaning.Value != nil {
			items[i] = append(items[i], meaning)
		}
	}
	return items
}

func (f *failures) recentFields(x explainer) []odata.Fields {
	items := make([]odata.Fields, len(f.recent))
	for i := range f.recent {
		items[i] = failureFields(&f.recent[i], x)
	}
	return items
}

func failureFields(f *engine.Failure, x explainer) odata.Fields {
	return append(odata.Fields{
		{"dateTime", odata.Timestamp(f.At)},
		{"deviceId", f.Device},
		{"deviceName", odata.TextOrNull(f.DeviceName)},
		{"payloadId", f.Result.Payload},
		{"payloadType", changeAssignments.typeName(f.Result.Type)},
		{"displayName", odata.TextOrNull(f.Result.DisplayName)},
		{"subType", odata.TextOrNull(f.Result.SubType)},
		{"errorCode", f.Result.Code},
		{"errorSource", sourceOf(f.Result.WhoseCode())},
		{"detail", shownDetail(f.Result.Detail)},
	}, x.explain(f.Result.WhoseCode(), f.Result.Detail)...)
}
