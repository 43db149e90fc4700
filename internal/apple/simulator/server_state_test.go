package simulator_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/micromdm/nanomdm/mdm"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// send queues a command and returns its UUID.
func (s *testServer) send(device *simulator.Device, requestType string,
	keys map[string]any) string {
	command := map[string]any{"RequestType": requestType}
	for key, value := range keys {
		command[key] = value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	uuid := fmt.Sprintf("%s-%d", requestType, time.Now().UnixNano())
	s.queues[deviceID(device)] = append(s.queues[deviceID(device)],
		queued{uuid, encode(map[string]any{"CommandUUID": uuid, "Command": command})})
	return uuid
}

// do sends a command, lets the device connect, and returns its last answer.
func (s *testServer) do(t *testing.T, device *simulator.Device, requestType string,
	keys map[string]any) result {
	t.Helper()
	uuid := s.send(device, requestType, keys)
	if err := device.Connect(t.Context()); err != nil {
		t.Fatalf("%s: %v", requestType, err)
	}
	answers := s.answersTo(uuid)
	if len(answers) != 1 {
		t.Fatalf("%s was answered %d times", requestType, len(answers))
	}
	return answers[0]
}

func locked[T any](s *testServer, read func() T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return read()
}

func (s *testServer) history() []any {
	return locked(s, func() []any { return slices.Clone(s.checkIns) })
}
func (s *testServer) lastCheckIn() any {
	return locked(s, func() any { return s.checkIns[len(s.checkIns)-1] })
}
func (s *testServer) idleCount() int      { return locked(s, func() int { return s.idles }) }
func (s *testServer) certificates() int64 { return locked(s, func() int64 { return s.issued }) }
func (s *testServer) answerAll(status int) {
	locked(s, func() int { s.answers = status; return status })
}
func (s *testServer) pushOf(device *simulator.Device) mdm.Push {
	return locked(s, func() mdm.Push { return s.pushes[deviceID(device)] })
}

func (s *testServer) answersTo(uuid string) (found []result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, answer := range s.results {
		if answer.CommandUUID == uuid {
			found = append(found, answer)
		}
	}
	return found
}

// wait returns when the server's state is as wanted; done runs with the server locked.
func (s *testServer) wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { s.mu.Lock(); s.changed.Broadcast(); s.mu.Unlock() })
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !done() {
		if ctx.Err() != nil {
			t.Fatalf("waited in vain for: %s", what)
		}
		s.changed.Wait()
	}
}

func (s *testServer) statuses(uuid string) string {
	var statuses []string
	for _, answer := range s.answersTo(uuid) {
		statuses = append(statuses, answer.Status)
	}
	return strings.Join(statuses, " ")
}
