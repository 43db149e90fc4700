package keylock

import (
	"fmt"
	"sync"
	"testing"
)

// What is done about one key is done one after the other, whatever is done about others.
func TestLocks(t *testing.T) {
	var locks Locks
	const keys, goroutines, rounds = 100, 8, 50
	counts := make([]int, keys) // the race detector sees whoever comes in between
	inside := make([]bool, keys)
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for range rounds {
				for i := range keys {
					unlock := locks.Lock(fmt.Sprint("device ", i))
					if inside[i] {
						t.Errorf("two hold the lock of key %d", i)
					}
					inside[i] = true
					counts[i]++
					inside[i] = false
					unlock()
				}
			}
		})
	}
	all.Wait()
	for i, n := range counts {
		if n != goroutines*rounds {
			t.Errorf("key %d was locked %d times, want %d", i, n, goroutines*rounds)
		}
	}
}

// Who holds a key's lock holds up few others.
func TestKeysAreSpread(t *testing.T) {
	var locks Locks
	defer locks.Lock("one")()
	free := 0
	const others = 1000
	for i := range others {
		if m := locks.bucket(fmt.Sprint("other ", i)); m.TryLock() {
			m.Unlock()
			free++
		}
	}
	if free < others*9/10 {
		t.Errorf("of %d other keys %d are free", others, free)
	}
}
