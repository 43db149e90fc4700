package graph

import (
	"cmp"
	"math"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// How many bytes a body may have where it may have more than odata.OrdinaryBody. Where a file is
// taken it is Config.MaxBody.
const (
	// settings, whose properties may have catalog.MaxPropertiesSize, and a thousand assignments
	documentBody = 2 << 20
	fileBody     = math.MaxInt64
)

// bodyLimit is how many bytes the call's body may have. A caller who may do nothing at all needs no
// large one.
func (c *call) bodyLimit() int64 {
	limit := c.route.bodyLimit(c.config.MaxBody)
	mayAnything := func(r access.Right) bool { return len(c.caller.Scope(r)) > 0 }
	if limit > odata.OrdinaryBody && (c.caller == nil ||
		!slices.ContainsFunc(access.Rights(), mayAnything)) {
		return odata.OrdinaryBody
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
	return min(cmp.Or(largest, odata.OrdinaryBody), most)
}
