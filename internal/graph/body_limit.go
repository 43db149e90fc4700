package graph

import (
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// How many bytes a body may have, as sent and as decompressed. Where a file is taken it is Config.MaxBody.
const (
	ordinaryBody = 256 << 10
	documentBody = 2 << 20 // settings, whose properties may have catalog.MaxPropertiesSize, and a thousand assignments
	batchBody    = 4 << 20 // as in Microsoft Graph
)

// bodiesAtOnce is how many bytes of larger than ordinary bodies are decompressed and parsed at the same time, for all callers
// together.
const bodiesAtOnce = 32 << 20

// bodyLimit is how many bytes the call's body may have. Who may do nothing at all needs no large one.
func (c *call) bodyLimit() int64 {
	limit := min(c.route.bodyLimit(c.MaxBody), c.MaxBody)
	mayAnything := func(r access.Right) bool { return len(c.caller.Scope(r)) > 0 }
	if limit > ordinaryBody && (c.caller == nil || !slices.ContainsFunc(access.Rights(), mayAnything)) {
		return ordinaryBody
	}
	return limit
}

// bodyLimit is how many bytes a body of the route may have, if no body may have more than most.
func (rt *route) bodyLimit(most int64) int64 {
	set, operation, _ := strings.Cut(rt.name, ".")
	sets := operation == "create" || operation == "update" || operation == "replace"
	switch set {
	case "inspectProfile":
		return most
	case "batch":
		return batchBody
	case "deviceConfigurations", "mobileApps":
		if sets {
			return most
		}
	}
	if operation == "assign" || sets && (set == "mobileAppConfigurations" || set == "configurationPolicies") {
		return documentBody
	}
	return ordinaryBody
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
