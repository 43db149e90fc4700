package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/lane"
)

// A body that says not how long it is has been read in part when it waits for the room of those who
// are known. That part stays counted, and when somebody else needs it, it is given back and the
// waiting ends.
func TestBodiesThatWaitAreCounted(t *testing.T) {
	in := newBodyBudgets(Capacity{Bodies: 6 << 20, Wait: time.Minute}.withDefaults(100),
		func(*http.Request) identity { return provenIdentity })
	full := in.proven[deviceRequest]
	all, err := full.takeOrWait(t.Context(), lane.Client{Owner: "full"},
		&share{n: full.total, busy: func() bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	defer all.end()
	unended, end := io.Pipe()
	defer func() { _ = end.Close() }()
	come := func(owner string) *body {
		r := httptest.NewRequest("PUT", "/mdm",
			io.MultiReader(bytes.NewReader(make([]byte, earlyLimit)), unended))
		b := in.newBody(httptest.NewRecorder(), r, deviceRequest, lane.Client{Owner: owner})
		b.readEarly()
		return b
	}
	const most = 1 << 20 / earlyLimit // a sixth of all
	ended := make(chan error)
	for i := range most {
		b := come("greedy")
		if b.refusal() != nil {
			t.Fatalf("body %d is refused: %v", i, b.refusal())
		}
		go func() { _, err := io.Copy(io.Discard, b); ended <- err }()
		for full.lane.Waiting() < i+1 {
			time.Sleep(time.Millisecond)
		}
	}
	if b := come("greedy"); !errors.Is(b.refusal(), errBodyBusy) {
		t.Errorf("%d bytes more than there is room for are held", earlyLimit)
	}
	if b := come("other"); b.refusal() != nil {
		t.Fatalf("another network's is refused: %v", b.refusal())
	}
	select {
	case err := <-ended:
		if !errors.Is(err, errBodyBusy) {
			t.Errorf("a body whose room was given to others ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a body whose room was given to others waits on")
	}
}
