package faults

import (
	"testing"
	"time"
)

// Whatever the network between devices and servers does, everything is carried out in the end, and
// nothing twice.
func TestNetworkOfDevicesFails(t *testing.T) {
	for name, fault := range map[string]func(*wall){
		// longer than devices wait
		"silent": func(w *wall) { w.silence(); time.Sleep(7 * time.Second) },
		"cut": func(w *wall) {
			for range 40 {
				w.cut()
				time.Sleep(50 * time.Millisecond)
			}
		},
		"slow": func(w *wall) {
			w.slow(200 * time.Millisecond)
			time.Sleep(5 * time.Second)
		},
		"unreachable": func(w *wall) { w.refuse(); time.Sleep(3 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := onFile(t, 6)
			l := s.load(s.devices)
			for end := time.Now().Add(lasting(0)); ; {
				l.again()
				fault(s.front)
				s.front.heal()
				if time.Now().After(end) {
					break
				}
			}
			l.again()
			l.finish()
			s.nodes[0].alive()
		})
	}
}
