package mdm_test

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
)

// recorded is what somebody could record of a device's first enrollment.
type recorded map[string]*answered

func record(d *device) recorded {
	r := recorded{}
	r["Authenticate"] = d.want(http.StatusOK, d.authenticate())
	r["TokenUpdate"] = d.want(http.StatusOK, d.tokenUpdate("token 1"))
	r["Idle"] = d.want(http.StatusOK, d.idle())
	answer := dict{"Status": "Acknowledged", "CommandUUID": "11111111-1111-4111-8111-111111111111"}
	r["Acknowledged"] = d.want(http.StatusOK, d.report(answer))
	return r
}

// A message that is sent again must not undo what came after it.
func TestReplaysDoNotUndoWhatCameAfter(t *testing.T) {
	for name, c := range map[string]struct {
		then func(t *testing.T, s *server, d *device, r recorded)
		want map[string]int
	}{
		"a new push token": {func(_ *testing.T, _ *server, d *device, _ recorded) {
			d.want(http.StatusOK, d.tokenUpdate("token 2"))
		}, map[string]int{"Authenticate": 200, "TokenUpdate": 200}},
		"many new push tokens": {func(t *testing.T, _ *server, d *device, _ recorded) {
			for i := range 16 {
				d.want(http.StatusOK, d.tokenUpdate(fmt.Sprint("later token ", i)))
			}
		}, map[string]int{"Authenticate": 200, "TokenUpdate": 200}},
		"a check-out": {func(t *testing.T, _ *server, d *device, r recorded) {
			r["CheckOut"] = d.want(http.StatusOK, d.checkOut())
		}, map[string]int{"Authenticate": 403, "TokenUpdate": 403, "Idle": 403, "Acknowledged": 403,
			"CheckOut": 200}},
		"a new enrollment": {func(t *testing.T, s *server, d *device, _ recorded) {
			s.enroll(t, d.udid, 2)
		},
			map[string]int{"Authenticate": 403, "TokenUpdate": 403, "Idle": 403,
				"Acknowledged": 403}},
		"a check-out and a new enrollment": {func(t *testing.T, s *server, d *device, r recorded) {
			r["CheckOut"] = d.want(http.StatusOK, d.checkOut())
			s.enroll(t, d.udid, 2)
		}, map[string]int{"Authenticate": 403, "TokenUpdate": 403, "Idle": 403, "Acknowledged": 403,
			"CheckOut": 403}},
		"a new enrollment that has only begun": {func(t *testing.T, s *server, d *device,
			_ recorded) {
			again := s.newDevice(t, d.udid, 2)
			again.want(http.StatusOK, again.authenticate())
		}, map[string]int{"Authenticate": 403, "TokenUpdate": 403, "Idle": 403,
			"Acknowledged": 403}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			d := s.newDevice(t, "1", 1)
			r := record(d)
			c.then(t, s, d, r)
			before := s.store.enrollment("1")
			enrolled, left, contacts := s.engine.counts()
			for range 2 {
				for what, want := range c.want {
					if a := d.replay(r[what]); a.status != want {
						t.Errorf("%s: status %d, want %d", what, a.status, want)
					}
				}
			}
			if after := s.store.enrollment("1"); !reflect.DeepEqual(after, before) {
				t.Errorf("the enrollment was %+v and is %+v", before, after)
			}
			if e, l, n := s.engine.counts(); e != enrolled || l != left || n != contacts {
				t.Errorf("the engine was told: enrolled %d, left %d, contacts %d; before %d, %d, %d", e, l, n, enrolled, left, contacts)
			}
		})
	}
}
