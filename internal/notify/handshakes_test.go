package notify_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/lane"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// An owner whose receivers never answer keeps no other owner from a handshake, and no place of the
// calls; more than there can be subscriptions do not wait.
func TestOwnersDoNotWaitForEachOther(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	w, r := newWorld(t), newReceiver(t)
	greedy, _ := w.owner(access.TokenInput{Name: "greedy"})
	other, _ := w.owner(access.TokenInput{Name: "other"})
	calls := lane.New(300, 0)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	full := make(chan struct{}, 300)
	var waiting sync.WaitGroup
	for range 300 {
		place, err := calls.Take(t.Context(), lane.Client{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		waiting.Go(func() {
			defer place.End()
			in := w.input(r)
			in.URL, in.LifecycleURL = "https://"+silent.Addr().String(), ""
			if _, err := w.Create(lane.With(ctx, place), greedy, in); errors.Is(err, lane.ErrFull) {
				full <- struct{}{}
			}
		})
	}
	for range 80 { // 8 are under way, and 200 wait
		<-full
	}
	if _, err := w.Create(t.Context(), other, w.input(newReceiver(t))); err != nil {
		t.Errorf("another owner: %v", err)
	}
	if n := calls.Taken(); n != 0 {
		t.Errorf("%d places are kept by those who wait for receivers", n)
	}
	end()
	waiting.Wait()
	if n := len(full); n > 300-2*notify.MaxPerOwner-80 {
		t.Errorf("%d more were turned away", n)
	}
}
