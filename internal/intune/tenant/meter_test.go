package tenant_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

// counter is a meter that takes note of what it is asked.
type counter struct {
	tenant.Meter
	mu    sync.Mutex
	asked []tenant.Bucket
}

func (c *counter) UpdatePace(ctx context.Context, b tenant.Bucket, fn func(*tenant.Pace)) error {
	c.mu.Lock()
	c.asked = append(c.asked, b)
	c.mu.Unlock()
	return c.Meter.UpdatePace(ctx, b, fn)
}

// What changes a device, and reports, are not paced as reads are: Microsoft lets through ten times
// less of them.
func TestEachCallHasItsBucket(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{})
	})
	for path, want := range map[string]tenant.Bucket{
		"POST deviceManagement/managedDevices/" + device + "/changeAssignments": tenant.Writes,
		"POST deviceManagement/managedDevices/" + device + "/syncDevice":        tenant.Writes,
		"POST deviceManagement/reports/getConfigurationPoliciesReportForDevice": tenant.Reports,
		"GET deviceManagement/managedDevices":                                   tenant.Reads,
		"GET deviceManagement/remoteActionAudits":                               tenant.Reads,
	} {
		meter := &counter{Meter: tenant.NewMemoryMeter()}
		method, path, _ := strings.Cut(path, " ")
		if err := s.client(func(c *tenant.Config) { c.Meter = meter }).Send(t.Context(), method,
			path); err != nil || !slices.Equal(meter.asked, []tenant.Bucket{want}) {
			t.Errorf("%s %s: %v, %v", method, path, meter.asked, err)
		}
	}
}

// Each call of a batch counts as one.
func TestBatchesCountWhatIsInThem(t *testing.T) {
	s := newService(t, nil)
	s.graph = func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{})
	}
	began := s.clock.Now()
	paths := slices.Repeat([]string{"deviceManagement/managedDevices"}, 300)
	if _, err := s.client().Batch(t.Context(), paths...); err != nil {
		t.Fatal(err)
	}
	least := time.Duration((300 - tenant.Burst(tenant.Reads)) /
		tenant.PerSecond(tenant.Reads) * float64(time.Second))
	if took := s.clock.Now().Sub(began); len(s.asked()) != 15 || took < least {
		t.Errorf("%d batches of 300 calls took %s, want at least %s", len(s.asked()), took, least)
	}
}

// A call of a batch that is throttled waits as long as it is told, a date by the clock of who
// tells it, and the first answer to a call counts.
func TestBatchWaits(t *testing.T) {
	for form, after := range map[string]string{"seconds": "9", "date": "Mon, 02 Mar 2026 10:00:09 GMT"} {
		refused := false
		s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Mon, 02 Mar 2026 10:00:00 GMT") // two hours ahead
			answer := map[string]any{"id": "1", "status": 200, "body": map[string]any{}}
			if !refused {
				answer = map[string]any{"id": "1", "status": 429,
					"headers": map[string]string{"Retry-After": after}}
			}
			refused = true
			reply(w, http.StatusOK, map[string]any{"responses": []any{answer,
				map[string]any{"id": "1", "status": 404}, map[string]any{"id": "7", "status": 404},
				map[string]any{"id": "x", "status": 404}}})
		})
		began := s.clock.Now()
		ends, err := s.client().Batch(t.Context(), "deviceManagement/managedDevices")
		took := s.clock.Now().Sub(began)
		if err != nil || ends[0] != nil || len(s.asked()) != 2 || took < 9*time.Second ||
			took > 11*time.Second {
			t.Errorf("%s: %v, %v, %d batches, %s", form, ends, err, len(s.asked()), took)
		}
	}
}

// After a refusal a bucket is asked half as fast, and no process takes turns ahead.
func TestSlowedBucket(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	var p tenant.Pace
	at := time.Duration(0)
	p.Strike(now, &at, 0)
	taken := 0
	for end := now.Add(20 * time.Second); now.Before(end); {
		wait := p.Take(now, tenant.Reads, 1)
		if now = now.Add(wait); wait <= 0 {
			taken++
		}
	}
	if half := tenant.PerSecond(tenant.Reads) * 10; float64(taken) > half+1 ||
		float64(taken) < half*0.9 {
		t.Errorf("in 20 seconds %d, want %v", taken, half)
	}
	refuse := true
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		if refuse {
			refuse = false
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		answerDevice(w, r)
	})
	meter := &counter{Meter: tenant.NewMemoryMeter()}
	c := s.client(func(c *tenant.Config) { c.Meter = meter })
	for range 10 {
		if _, err := c.Device(t.Context(), device); err != nil {
			t.Fatal(err)
		}
	}
	if len(meter.asked) < 11 {
		t.Errorf("the meter was asked %d times for 11 calls", len(meter.asked))
	}
}

// A secret goes to no other host with a redirect of the token endpoint.
func TestSecretsStayHome(t *testing.T) {
	stolen := 0
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stolen++
		reply(w, http.StatusOK, map[string]any{"token_type": "Bearer", "access_token": token(1)})
	}))
	t.Cleanup(thief.Close)
	endpoint := httptest.NewServer(http.RedirectHandler(thief.URL,
		http.StatusTemporaryRedirect))
	t.Cleanup(endpoint.Close)
	s := newService(t, answerDevice)
	c := s.client(func(c *tenant.Config) { c.Authority = endpoint.URL })
	if _, err := c.Device(t.Context(), device); err == nil || stolen > 0 || len(s.asked()) > 0 {
		t.Errorf("another host was asked %d times for a token: %v", stolen, err)
	}
}

// Processes whose clocks are apart do not get the time between them again and again.
func TestClocksApart(t *testing.T) {
	var p tenant.Pace
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	taken := 0
	for tick := range 200 { // 20 seconds
		now := start.Add(time.Duration(tick) * 100 * time.Millisecond)
		for _, one := range []time.Time{now.Add(3 * time.Second), now} {
			for p.Take(one, tenant.Writes, 1) <= 0 {
				taken++
			}
		}
	}
	if most := tenant.Burst(tenant.Writes) + 20*tenant.PerSecond(tenant.Writes); float64(taken) > most {
		t.Errorf("in 20 seconds %d, want at most %v", taken, most)
	}
}
