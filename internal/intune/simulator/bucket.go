package simulator

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
)

// Limits are how many requests of one kind 20 seconds may have. The zero value of each is the
// documented number, or where there is none what the troubleshooting resources have.
type Limits struct {
	Devices       Limit // managedDevices, comanagedDevices, remoteActionAudits: 200, 2,000
	Configuration Limit // configurationPolicies, deviceConfigurations: 100, 1,000
	Reports       Limit // reports, mobileAppIntentAndStates: 100, 1,000
	Apps          Limit // deviceAppManagement: 100, 1,000
}

// Limit is of one application in one tenant. All applications of a tenant may have twice as many.
type Limit struct {
	Writes int // POST, PUT, PATCH and DELETE
	Any    int
}

func (l Limit) or(writes, any int) Limit {
	return Limit{cmp.Or(l.Writes, writes), cmp.Or(l.Any, any)}
}

func (l Limits) complete() Limits {
	return Limits{Devices: l.Devices.or(200, 2000), Configuration: l.Configuration.or(100, 1000),
		Reports: l.Reports.or(100, 1000), Apps: l.Apps.or(100, 1000)}
}

// The names of the buckets.
const (
	bucketDevices       = "devices"
	bucketConfiguration = "configuration"
	bucketReports       = "reports"
	bucketApps          = "apps"
	bucketDirectory     = "directory" // without a limit
)

func (l Limits) of(bucket string) (Limit, bool) {
	switch bucket {
	case bucketDevices:
		return l.Devices, true
	case bucketConfiguration:
		return l.Configuration, true
	case bucketReports:
		return l.Reports, true
	case bucketApps:
		return l.Apps, true
	}
	return Limit{}, false
}

const windowLength = 20 * time.Second

// window counts the requests of 20 seconds. It begins with the first request after the one before.
type window struct {
	start       time.Time
	any, writes int
}

// window finds the window of this moment.
func (t *Tenant) window(name string, now time.Time) *window {
	w := t.windows[name]
	if w == nil {
		w = &window{start: now}
		t.windows[name] = w
	}
	if now.Sub(w.start) >= windowLength || now.Before(w.start) {
		*w = window{start: now}
	}
	return w
}

func isWrite(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// throttle counts a request and refuses it if it is one too many. Refused requests count, too.
func (s *Site) throttle(c *call) *refusal {
	if s.happens(s.faults.Throttle) {
		return s.tooMany(c, windowLength)
	}
	if hidden := s.faults.HiddenLimit; hidden > 0 {
		w := c.tenant.window("hidden "+c.caller.app.ID+c.route.path, c.now)
		if w.any++; w.any > hidden {
			return tooManyRequests("")
		}
	}
	limit, limited := s.options.Limits.of(c.route.bucket)
	if !limited {
		return nil
	}
	for _, scope := range []struct {
		name  string
		times int
	}{{c.caller.app.ID, 1}, {"tenant", 2}} {
		w := c.tenant.window(c.route.bucket+" "+scope.name, c.now)
		w.any++
		if isWrite(c.in.method) {
			w.writes++
		}
		tooMany := w.any > limit.Any*scope.times
		if tooMany || isWrite(c.in.method) && w.writes > limit.Writes*scope.times {
			return s.tooMany(c, windowLength-c.now.Sub(w.start))
		}
	}
	return nil
}

// tooMany is the refusal of a request that may come again after a while.
func (s *Site) tooMany(c *call, after time.Duration) *refusal {
	form := s.faults.RetryAfter
	if form == RetryMixed {
		form = RetryAfter(s.random.IntN(int(RetryMixed)))
	}
	seconds := int((after + time.Second - 1) / time.Second)
	switch form {
	case RetryDate:
		at := c.now.Add(time.Duration(seconds) * time.Second)
		return tooManyRequests(at.Format(http.TimeFormat))
	case RetryMissing:
		return tooManyRequests("")
	}
	return tooManyRequests(strconv.Itoa(seconds))
}

func tooManyRequests(retryAfter string) *refusal {
	r := &refusal{status: http.StatusTooManyRequests, code: "TooManyRequests",
		message: "Too many requests."}
	if retryAfter != "" {
		r.header = http.Header{"Retry-After": {retryAfter}}
	}
	return r
}
