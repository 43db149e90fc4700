package odata

import (
	"regexp"
	"strconv"
	"time"
)

const day = 24 * time.Hour

// ISO 8601 durations of fixed length: those with years or months have none.
var isoDuration = regexp.MustCompile(`^P(?:(\d{1,4})W|(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?)$`)

var isoUnits = []time.Duration{7 * day, day, time.Hour, time.Minute, time.Second}

// ParseDuration reads seconds, a duration such as 8h, or one of ISO 8601 such as PT8H. It may be
// negative or nothing; false: it is none of these.
func ParseDuration(value string) (time.Duration, bool) {
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
