package graph

import (
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// restoreAfterHeader chooses, for one call of the action, when the server restores what it removed. It is not Graph's.
const restoreAfterHeader = "Restore-After"

const day = 24 * time.Hour

// restoreAfterLimit is the longest time a call may choose.
const restoreAfterLimit = 365 * day

// restoreAfter reads the header; nil means that the call leaves it to the server.
func restoreAfter(h http.Header) (*time.Duration, error) {
	values := h.Values(restoreAfterHeader)
	if len(values) == 0 {
		return nil, nil
	}
	if len(values) > 1 {
		return nil, badRequest(restoreAfterHeader, "Header '%s' occurs more than once.", restoreAfterHeader)
	}
	d, ok := parseRestoreAfter(values[0])
	if !ok {
		return nil, badRequest(restoreAfterHeader,
			"Header '%s' is not valid: give seconds, a duration such as 8h or PT8H from 0 to %d days, or 0 for never.",
			restoreAfterHeader, restoreAfterLimit/day)
	}
	return &d, nil
}

// ISO 8601 durations of fixed length: those with years or months have none.
var isoDuration = regexp.MustCompile(`^P(?:(\d{1,4})W|(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?)$`)

var isoUnits = []time.Duration{7 * day, day, time.Hour, time.Minute, time.Second}

func parseRestoreAfter(value string) (time.Duration, bool) {
	d, ok := parseDuration(value)
	return d, ok && d >= 0 && d <= restoreAfterLimit
}

func parseDuration(value string) (time.Duration, bool) {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if d, err := time.ParseDuration(value); err == nil {
		return d, true
	}
	parts := isoDuration.FindStringSubmatch(value)
	if parts == nil {
		return 0, false
	}
	var sum time.Duration
	given := false
	for i, unit := range isoUnits {
		if parts[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(parts[i+1], 10, 64)
		if err != nil {
			return 0, false
		}
		sum, given = sum+time.Duration(n)*unit, true
	}
	return sum, given && value[len(value)-1] != 'T'
}
