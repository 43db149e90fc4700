package simulator

import (
	"net/http"
	"time"
)

// Trouble makes calls fail. It is tried in the order of AddTrouble; the first that fits counts.
type Trouble struct {
	Method string  // such as "policies.patch"; empty: every method of AMAPI and Pub/Sub
	Times  int     // calls it is good for; 0: until ClearTroubles
	Chance float64 // that it happens to a call that fits; 0: always
	// answered instead of serving the call: 403, 429, 500, 503 …; 0: it is served
	Status     int
	Message    string        // of the error; empty: Google's for the status
	Late       bool          // Status is answered after the call had its effect
	LoseAnswer bool          // the connection is cut after the call had its effect
	Latency    time.Duration // before the call is served, in real time
}

// PermissibleUsage is how Google refuses a project that it does not allow to manage devices.
// Google's wording was not seen; that of the policy that it enforces is used.
const PermissibleUsage = "The caller does not have permission: the project is not allowed to use " +
	"the Android Management API (PERMISSIBLE_USAGE_RESTRICTION). See " +
	"https://developers.google.com/android/management/permissible-usage."

// AddTrouble adds a trouble.
func (s *Service) AddTrouble(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.troubles = append(s.troubles, &t)
}

// ClearTroubles ends all troubles.
func (s *Service) ClearTroubles() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.troubles = nil
}

// troubleFor finds what happens to a call; mu is held.
func (s *Service) troubleFor(c *call) *Trouble {
	for i, t := range s.troubles {
		if t.Method != "" && t.Method != c.method || t.Chance > 0 && !s.happens(t.Chance) {
			continue
		}
		happens := *t
		if t.Times > 0 {
			if t.Times--; t.Times == 0 {
				s.troubles = append(s.troubles[:i:i], s.troubles[i+1:]...)
			}
		}
		return &happens
	}
	return nil
}

// happens decides by chance; mu is held.
func (s *Service) happens(probability float64) bool {
	return probability > 0 && s.random.Float64() < probability
}

func (t *Trouble) refuses() bool { return t != nil && t.Status != 0 && !t.Late }

func (t *Trouble) failure() *failure {
	text := map[int]string{403: PermissibleUsage, 429: quotaText,
		500: "Internal error encountered.", 503: "The service is currently unavailable."}[t.Status]
	if t.Message != "" {
		text = t.Message
	}
	return fail(t.Status, "%s", text)
}

// wait is the latency; it ends early, with an error, when the caller goes.
func (t *Trouble) wait(r *http.Request) error {
	if t == nil || t.Latency <= 0 {
		return nil
	}
	timer := time.NewTimer(t.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// quotaWindow is the time for which Google counts (AMAPI, "Usage limits").
const quotaWindow = 100 * time.Second

const quotaText = "Quota exceeded for quota metric 'Queries' and limit 'Queries per 100 seconds' " +
	"of service 'androidmanagement.googleapis.com'."

// quota counts the queries of a project. As Google describes it, who asks 1,000 times in a second
// has none left for the next 99, so a window begins with its first query.
type quota struct {
	began time.Time
	used  int
}

// spend counts a call; mu is held.
func (s *Service) spend(c *call) *failure {
	q := s.quotas[c.project]
	if q == nil {
		q = new(quota)
		s.quotas[c.project] = q
	}
	if c.now.Sub(q.began) >= quotaWindow {
		q.began, q.used = c.now, 0
	}
	if q.used >= s.options.Quota {
		refusal := fail(http.StatusTooManyRequests, "%s", quotaText)
		refusal.details = []any{map[string]any{
			"@type":  "type.googleapis.com/google.rpc.ErrorInfo",
			"reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com",
			"metadata": map[string]string{"service": "androidmanagement.googleapis.com",
				"consumer": "projects/" + c.project}}}
		return refusal
	}
	q.used++
	return nil
}
