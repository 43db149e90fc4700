package sqldb

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	tendEvery = time.Second // how often a node makes sure of its place
	// after which the server lets the place of a node go of which it hears nothing
	silence = 10 * time.Second
)

// endSilent lets the server end the session of a node that hangs, or is cut off by a network whose
// own ends still live. From version 14 on it can; before, that takes as long as TCP does.
const endSilent = "SELECT set_config(name, $1, false) FROM pg_settings WHERE name = 'idle_session_timeout'"

// watcher keeps a connection of its own to PostgreSQL: on it the node is told of other nodes'
// events, and holds the lock of the one node that keeps the clocks. When the node or its connection
// dies, the server lets the lock go, and another node takes it. Two that believed to have it for a
// moment would do nothing wrong, only the same twice.
type watcher struct {
	config  *pgx.ConnConfig
	told    chan struct{}
	leading atomic.Bool
	cancel  context.CancelFunc
	tried   chan struct{} // closed when it was tried once to get the lock
	stopped chan struct{}
}

// startWatcher returns when the first node on a database has the lock.
func startWatcher(config *pgx.ConnConfig) *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{config: config, told: make(chan struct{}, 1), cancel: cancel,
		tried: make(chan struct{}), stopped: make(chan struct{})}
	go w.run(ctx)
	<-w.tried
	return w
}

func (w *watcher) stop() {
	w.cancel()
	<-w.stopped
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.stopped)
	tried := sync.OnceFunc(func() { close(w.tried) })
	for ctx.Err() == nil {
		w.watch(ctx, tried)
		tried()
		w.leading.Store(false)
		select {
		case <-ctx.Done():
		case <-time.After(tendEvery):
		}
	}
}

// watch returns when the connection is lost; until it is there again, readers of events see those
// of other nodes when they look by themselves.
func (w *watcher) watch(ctx context.Context, tried func()) {
	c, err := pgx.ConnectConfig(ctx, w.config)
	if err != nil {
		return
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = c.Close(ctx)
	}()
	if _, err := c.Exec(ctx, "LISTEN "+newsChannel); err != nil {
		return
	}
	if _, err := c.Exec(ctx, endSilent, ms(silence)); err != nil {
		return
	}
	for w.tend(ctx, c) == nil {
		tried()
		w.listen(ctx, c)
	}
}

// tend makes sure that the connection lives, and gets the lock if nobody has it.
func (w *watcher) tend(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 2*tendEvery)
	defer cancel()
	if w.leading.Load() {
		return c.Ping(ctx)
	}
	var mine bool
	err := c.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(clockLock)).Scan(&mine)
	w.leading.Store(mine)
	return err
}

// listen waits a while for news of other nodes.
func (w *watcher) listen(ctx context.Context, c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(ctx, tendEvery)
	defer cancel()
	for {
		if _, err := c.WaitForNotification(ctx); err != nil {
			return
		}
		select {
		case w.told <- struct{}{}:
		default:
		}
	}
}
