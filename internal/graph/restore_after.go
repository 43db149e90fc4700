package graph

import (
	"net/http"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// restoreAfterHeader chooses, for one call of the action, when the server restores what it removed.
// It is not Graph's.
const restoreAfterHeader = "Restore-After"

// restoreAfterLimit is the longest time a call may choose.
const restoreAfterLimit = 365 * day

// restoreAfter reads the header; nil means that the call leaves it to the server.
func restoreAfter(h http.Header) (*time.Duration, error) {
	values := h.Values(restoreAfterHeader)
	if len(values) == 0 {
		return nil, nil
	}
	if len(values) > 1 {
		return nil, odata.BadRequest(restoreAfterHeader, "Header '%s' occurs more than once.",
			restoreAfterHeader)
	}
	d, ok := parseRestoreAfter(values[0])
	if !ok {
		return nil, odata.BadRequest(restoreAfterHeader,
			"Header '%s' is not valid: give seconds, a duration such as 8h or PT8H from 0 to %d days, or 0 for never.",
			restoreAfterHeader, restoreAfterLimit/day)
	}
	return &d, nil
}

func parseRestoreAfter(value string) (time.Duration, bool) {
	d, ok := odata.ParseDuration(value)
	return d, ok && d >= 0 && d <= restoreAfterLimit
}
