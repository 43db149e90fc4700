package lane

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// line is a lane whose places are all taken, with those who wait for one.
type line struct {
	*testing.T
	*Lane
	served chan string
	turned chan string
}

func newLine(t *testing.T, most int) *line {
	l := &line{t, New(1, most), make(chan string, 1000), make(chan string, 1000)}
	if err := l.Enter(t.Context(), Client{}, 1); err != nil {
		t.Fatal(err)
	}
	return l
}

// wait makes clients wait, in this order. One that must be turned away at once is not waited for.
func (l *line) wait(clients ...Client) {
	l.Helper()
	for _, c := range clients {
		name := c.Owner + "/" + c.Connection
		before, turned := l.Waiting(), len(l.turned)
		go func() {
			if err := l.Enter(l.Context(), c, 1); err == nil {
				l.served <- name
			} else if errors.Is(err, ErrFull) {
				l.turned <- name
			}
		}()
		for l.Waiting() == before && len(l.turned) == turned {
			time.Sleep(time.Millisecond)
		}
	}
}

// expect gives the place to one after the other.
func (l *line) expect(names ...string) {
	l.Helper()
	for i, name := range names {
		l.Leave(1)
		if got := <-l.served; got != name {
			l.Errorf("turn %d is %s's, want %s", i, got, name)
		}
	}
}

// Owners are served in turn, and within one its connections, each in the order in which they came.
func TestTurns(t *testing.T) {
	l := newLine(t, 100)
	l.wait(Client{"school", "1"}, Client{"school", "1"}, Client{"school", "2"},
		Client{"school", "1"},
		Client{"home", "3"}, Client{"home", "3"}, Client{"office", "4"})
	l.expect("school/1", "home/3", "office/4", "school/2", "home/3", "school/1", "school/1")
}

// When too many wait, the owner with most waiters loses its newest, from its connection with most.
func TestWhoLosesItsPlaceInTheQueue(t *testing.T) {
	l := newLine(t, 4)
	lost := func(name string) {
		t.Helper()
		if got := <-l.turned; got != name {
			t.Errorf("%s is turned away, want %s", got, name)
		}
	}
	l.wait(Client{"school", "1"}, Client{"school", "2"}, Client{"school", "2"},
		Client{"school", "2"})
	l.wait(Client{"school", "3"})
	lost("school/2") // the connection with most
	l.wait(Client{"home", "9"})
	lost("school/2")
	l.wait(Client{"home", "9"})
	lost("school/2") // one each is left, and this came to one last
	l.wait(Client{"home", "9"})
	lost("home/9") // it has as many as anybody
	l.wait(Client{"school", "4"})
	lost("school/4")
	l.expect("school/1", "home/9", "school/3", "home/9")
}

// An owner that is alone may have everything.
func TestOneOwnerMayHaveAll(t *testing.T) {
	l := New(4, 4)
	for i := range 4 {
		if !l.TryEnter(1) {
			t.Fatalf("place %d is not given", i)
		}
	}
	if l.TryEnter(1) || l.Taken() != 4 {
		t.Error("there are more places than there are")
	}
}

// A waiter that leaves the queue holds up nobody behind it.
func TestLeavingTheQueue(t *testing.T) {
	l := New(2, 10)
	if !l.TryEnter(1) {
		t.Fatal("no place")
	}
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- l.Enter(impatient, Client{"large", ""}, 2) }() // waits: one place is free
	for l.Waiting() != 1 {
		time.Sleep(time.Millisecond)
	}
	small := make(chan error, 1)
	go func() { small <- l.Enter(t.Context(), Client{"small", ""}, 1) }() // is not let past
	for l.Waiting() != 2 {
		time.Sleep(time.Millisecond)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := <-small; err != nil {
		t.Error(err)
	}
	if err := l.Enter(t.Context(), Client{}, 3); !errors.Is(err, ErrFull) {
		t.Errorf("more than there are: %v", err)
	}
	l.Leave(2)
	if l.Taken() != 0 || l.Waiting() != 0 {
		t.Errorf("%d taken, %d wait", l.Taken(), l.Waiting())
	}
}

// What is reclaimed goes to those who wait, and each owner that came before has its turn.
func TestReclaim(t *testing.T) {
	l := New(8, 100)
	var reclaimed atomic.Int32
	l.Reclaim = func(owner string, n int64) bool {
		if owner != "few" {
			return false
		}
		reclaimed.Add(1)
		l.Leave(n)
		return true
	}
	if !l.TryEnter(8) {
		t.Fatal("no places")
	}
	many, stop := context.WithCancel(t.Context())
	defer stop()
	for range 3 {
		go func() { _ = l.Enter(many, Client{"many", ""}, 1) }()
	}
	for l.Waiting() != 3 {
		time.Sleep(time.Millisecond)
	}
	if err := l.Enter(t.Context(), Client{"few", ""}, 1); err != nil {
		t.Error(err)
	}
	if n := reclaimed.Load(); n != 2 {
		t.Errorf("reclaimed %d times for the second of two owners", n)
	}
}

// However they come, leave the queue, leave their places for a while and come back: never more are
// taken than there are, and in the end all are free.
func TestPlacesAreCounted(t *testing.T) {
	const places = 3
	l := New(places, 20)
	var inside, most atomic.Int64
	var all sync.WaitGroup
	for i := range 400 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%5 == 0 {
				time.AfterFunc(time.Duration(rand.IntN(500))*time.Microsecond, cancel)
			}
			p, err := l.Take(ctx, Client{fmt.Sprint(i % 7), fmt.Sprint(i % 31)},
				time.Duration(rand.IntN(20))*time.Millisecond)
			if err != nil {
				return
			}
			defer p.End()
			most.Store(max(most.Load(), inside.Add(1)))
			err = Outside(With(ctx, p), func() error {
				inside.Add(-1)
				time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
				return nil
			})
			if err == nil {
				most.Store(max(most.Load(), inside.Add(1)))
				inside.Add(-1)
			}
		})
	}
	all.Wait()
	if most.Load() > places || inside.Load() != 0 || l.Taken() != 0 || l.Waiting() != 0 ||
		len(l.queue.children) != 0 {
		t.Errorf("at most %d inside; at the end %d, %d taken, %d wait, %v", most.Load(),
			inside.Load(), l.Taken(), l.Waiting(), l.queue.children)
	}
}

// A place that is left is free for others, also when several leave it; the last one comes back to
// it.
func TestOutside(t *testing.T) {
	l := New(1, 10)
	p, err := l.Take(t.Context(), Client{"a", ""}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ctx := With(t.Context(), p)
	err = Outside(ctx, func() error {
		return Outside(ctx, func() error {
			if l.Taken() != 0 {
				t.Error("it is not left")
			}
			return nil
		})
	})
	if err != nil || l.Taken() != 1 {
		t.Errorf("%v, %d taken", err, l.Taken())
	}
	err = Outside(ctx, func() error {
		p.End()
		return nil
	})
	if err != nil || l.Taken() != 0 {
		t.Errorf("it was given back meanwhile: %v, %d taken", err, l.Taken())
	}
	p.End()
	if l.Taken() != 0 {
		t.Error("it was given back twice")
	}
	if err := Outside(t.Context(), func() error { return nil }); err != nil {
		t.Error(err)
	}
}
