package graph

import (
	"cmp"
	"math"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// How many bytes a body may have, as sent and as decompressed. Where a file is taken it is Config.MaxBody.
const (
	ordinaryBody = 256 << 10
	documentBody = 2 << 20 // settings, whose properties may have catalog.MaxPropertiesSize, and a thousand assignments
	batchBody    = 4 << 20 // as in Microsoft Graph
	fileBody     = math.MaxInt64
)

// bodiesAtOnce is how many bytes of larger than ordinary bodies are decompressed and parsed at the same time, for all callers
// together.
const bodiesAtOnce = 32 << 20

// bodyLimit is how many bytes the call's body may have. Who may do nothing at all needs no large one.
func (c *call) bodyLimit() int64 {
	limit := c.route.bodyLimit(c.MaxBody)
	mayAnything := func(r access.Right) bool { return len(c.caller.Scope(r)) > 0 }
	if limit > ordinaryBody && (c.caller == nil || !slices.ContainsFunc(access.Rights(), mayAnything)) {
		return ordinaryBody
	}
	return limit
}

// bodyLimit is how many bytes a body of the route may have, if no body may have more than most.
func (rt *route) bodyLimit(most int64) int64 {
	largest := rt.largestBody
	if v := rt.verb; v != nil && v.edits {
		largest = rt.resource.largestBody
	} else if v != nil {
		largest = v.largestBody
	}
	return min(cmp.Or(largest, ordinaryBody), most)
}

// enter waits until a body of so many bytes may be decompressed and parsed; done lets others.
func (c *call) enter(bytes int64) (done func(), err error) {
	if bytes <= ordinaryBody {
		return func() {}, nil
	}
	bytes = min(bytes, bodiesAtOnce)
	if err := c.bodies.Acquire(c.r.Context(), bytes); err != nil {
		return nil, err
	}
	return func() { c.bodies.Release(bytes) }, nil
}
