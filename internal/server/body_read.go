package server

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// fill reads until there are so many bytes, or the end.
func (b *body) fill(to int64) {
	for b.ended == nil && b.size < to {
		chunk := b.chunk()
		if chunk == nil {
			b.fail(errBodyBusy)
			return
		}
		n, err := b.source.Read((*chunk)[len(*chunk):cap(*chunk)])
		*chunk = (*chunk)[:len(*chunk)+n]
		b.size += int64(n)
		switch {
		case err != nil:
			b.fail(err)
		case b.size == b.declared:
			b.fail(io.EOF)
		}
	}
}

// chunk is where the next bytes go; nil: there is no room for them.
func (b *body) chunk() *[]byte {
	if last := len(b.chunks) - 1; last >= 0 && len(b.chunks[last]) < cap(b.chunks[last]) {
		return &b.chunks[last]
	}
	size := min(max(b.size, page), largestChunk)
	if b.declared > 0 {
		size = min(size, b.declared-b.size)
	}
	if !b.makeRoom(size) {
		return nil
	}
	b.chunks = append(b.chunks, make([]byte, 0, size))
	return &b.chunks[len(b.chunks)-1]
}

// makeRoom counts bytes before they are there.
func (b *body) makeRoom(bytes int64) bool {
	n := pages(bytes)
	if b.share != nil && b.room < n {
		if !b.holder.more(b.guest, b.share, n-b.room) {
			return false
		}
		b.room = n
	}
	if b.share == nil {
		if b.share = b.holder.take(b.guest, b.newShare(n)); b.share == nil {
			return false
		}
		b.room = n
	}
	b.room -= n
	return true
}

// fail ends the body. Of one whose room is others' now nothing is kept: it may be a while until its
// handler has ended.
func (b *body) fail(err error) {
	b.mu.Lock()
	taken := b.taken
	b.mu.Unlock()
	switch {
	case err == io.EOF:
	case taken:
		err = errBodyBusy
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errBodySlow
	}
	if errors.Is(err, errBodyBusy) {
		b.chunks = nil
	}
	b.ended = err
	b.whole.Store(true)
}

// renew begins a window in which something must come.
func (b *body) renew(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || b.taken {
		return
	}
	b.began, b.came = now, 0
	_ = b.control.SetReadDeadline(now.Add(b.window))
	if b.r.ProtoMajor == 2 { // which counts the time to answer from the header on
		_ = b.control.SetWriteDeadline(now.Add(writeTimeout))
	}
}

// progress reads a body as it is sent, and lets it go on for as long as enough comes in each
// window. The server gives the first window (http.Server.ReadTimeout): most bodies are there at
// once, and need no other.
type progress struct{ *body }

func (p progress) Read(to []byte) (int, error) {
	b := p.body
	n, err := b.from.Read(to)
	b.came += int64(n)
	if b.sum.Add(int64(n)) > largestBody {
		return n, &http.MaxBytesError{Limit: largestBody}
	}
	if err == nil && b.came >= leastProgress {
		if now := time.Now(); now.Sub(b.began) >= b.window/4 {
			b.renew(now)
		}
	}
	return n, err
}

// unpacked is the content of gzip.
type unpacked struct {
	from io.Reader
	room func(int64) bool
	gzip *gzip.Reader
}

func (u *unpacked) Read(p []byte) (n int, err error) {
	if u.gzip == nil {
		if !u.room(unpacker) {
			return 0, errBodyBusy
		}
		if u.gzip, err = gzip.NewReader(u.from); err != nil {
			return 0, err
		}
	}
	return u.gzip.Read(p)
}
