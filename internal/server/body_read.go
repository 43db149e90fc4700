package server

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// readUpTo reads until so many bytes have been read, or to the end.
func (b *body) readUpTo(to int64) {
	for b.err == nil && b.size < to {
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

// chunk returns where the next bytes go; nil if there is no room for them. Chunks grow with the
// body, up to maxChunk, so that a short body takes little memory and a long one few chunks.
func (b *body) chunk() *[]byte {
	if last := len(b.chunks) - 1; last >= 0 && len(b.chunks[last]) < cap(b.chunks[last]) {
		return &b.chunks[last]
	}
	size := min(max(b.size, pageSize), maxChunk)
	if b.declared > 0 {
		size = min(size, b.declared-b.size)
	}
	if !b.makeRoom(size) {
		return nil
	}
	b.chunks = append(b.chunks, make([]byte, 0, size))
	return &b.chunks[len(b.chunks)-1]
}

// makeRoom counts bytes in the budget before memory is allocated for them, and reports whether
// there was room.
func (b *body) makeRoom(bytes int64) bool {
	n := pages(bytes)
	if b.share != nil && b.freePages < n {
		if !b.budget.grow(b.client, b.share, n-b.freePages) {
			return false
		}
		b.freePages = n
	}
	if b.share == nil {
		if b.share = b.budget.takeNow(b.client, b.newShare(n)); b.share == nil {
			return false
		}
		b.freePages = n
	}
	b.freePages -= n
	return true
}

// fail ends the body with an error, or io.EOF when it is complete. If its memory was given to
// others, its chunks are freed at once: its handler may go on for a while.
func (b *body) fail(err error) {
	b.mu.Lock()
	revoked := b.revoked
	b.mu.Unlock()
	switch {
	case err == io.EOF:
	case revoked:
		err = errBodyBusy
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errBodySlow
	}
	if errors.Is(err, errBodyBusy) {
		b.chunks = nil
	}
	b.err = err
	b.finished.Store(true)
}

// startWindow begins a time window within which something must arrive.
func (b *body) startWindow(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answered || b.revoked {
		return
	}
	b.windowStart, b.windowBytes = now, 0
	_ = b.control.SetReadDeadline(now.Add(b.window))
	if b.r.ProtoMajor == 2 { // HTTP/2 counts the time to answer from the header on
		_ = b.control.SetWriteDeadline(now.Add(writeTimeout))
	}
}

// pacedReader reads a body as it is sent, and lets it go on for as long as leastProgress bytes come
// in each window. The first window is set by the server (http.Server.ReadTimeout): most bodies
// arrive at once, and need no other.
type pacedReader struct{ *body }

func (p pacedReader) Read(to []byte) (int, error) {
	b := p.body
	n, err := b.raw.Read(to)
	b.windowBytes += int64(n)
	if b.received.Add(int64(n)) > maxBody {
		return n, &http.MaxBytesError{Limit: maxBody}
	}
	if err == nil && b.windowBytes >= leastProgress {
		if now := time.Now(); now.Sub(b.windowStart) >= b.window/4 {
			b.startWindow(now)
		}
	}
	return n, err
}

// gzipReader unpacks gzip. It counts the memory of the unpacking, too.
type gzipReader struct {
	raw  io.Reader
	room func(int64) bool
	gzip *gzip.Reader
}

func (u *gzipReader) Read(p []byte) (n int, err error) {
	if u.gzip == nil {
		if !u.room(gzipMemory) {
			return 0, errBodyBusy
		}
		if u.gzip, err = gzip.NewReader(u.raw); err != nil {
			return 0, err
		}
	}
	return u.gzip.Read(p)
}
