package server

import (
	"runtime"
	"time"
)

// Capacity is how much the server works on at the same time. Whatever comes beyond that waits, each
// network in turn. A request is told to come again later if too many wait already, or after it has
// waited for Wait. Devices, calls and streams each have their own places, so that none of them
// waits behind the others. The zero value of a field means its default.
type Capacity struct {
	Devices int           // device requests; default 128 for each processor
	Calls   int           // API and console requests; default 32 for each processor
	Streams int           // open event streams, which never wait; default 16,384
	Waiting int           // requests that may wait, for each one that is worked on; default 16
	Wait    time.Duration // how long a request may wait; default 10 s

	// Bodies is how many bytes of request bodies are held in memory, from reading until the answer;
	// default 96 MiB. Devices and callers that have proved who they are have a third each; what
	// comes before that proof has a sixth each.
	Bodies int64
	// Answers is how many bytes of answers wait to be read by clients, half of them by devices;
	// default 128 MiB.
	Answers int64
	// Window is the time within which the other side must send, or take, some KiB (leastProgress),
	// however long the whole lasts; default 20 s.
	Window time.Duration
	// Handshakes is how many TLS handshakes may be under way; default 256 for each processor, and
	// at most a quarter of the connections.
	Handshakes int
}

// leastProgress is how many bytes must come within Capacity.Window: 200 a second by default. A
// phone at the edge of its network (GPRS) has ten times as much, and may lose it for some seconds.
const leastProgress = 4 << 10

func (c Capacity) withDefaults(connections int) Capacity {
	processors := runtime.GOMAXPROCS(0)
	setDefault(&c.Devices, 128*processors)
	setDefault(&c.Calls, 32*processors)
	setDefault(&c.Streams, 1<<14)
	setDefault(&c.Waiting, 16)
	setDefault(&c.Handshakes, min(256*processors, max(1, connections/4)))
	setDefault(&c.Bodies, 96<<20)
	setDefault(&c.Answers, 128<<20)
	setDefault(&c.Wait, 10*time.Second)
	setDefault(&c.Window, 20*time.Second)
	return c
}

// setDefault sets a field that has no positive value.
func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
