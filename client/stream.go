package client

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// streamTiming says how long the reader of a stream waits.
type streamTiming struct {
	silence time.Duration // after this long without a byte, the connection counts as dead
	pause   time.Duration // pause before the stream is opened again
	// how long the server may be away, for example to restart, before a watch ends
	outage time.Duration
}

// The server sends an empty line every 15 seconds as a sign of life.
var defaultTiming = streamTiming{silence: 45 * time.Second, pause: 500 * time.Millisecond,
	outage: time.Minute}

const typeNDJSON = "application/x-ndjson"

// errSilent ends a stream whose connection seems dead.
var errSilent = fmt.Errorf("the server does not answer: %w", context.DeadlineExceeded)

// stream is an answer that is read line by line, until the connection breaks or has been silent for
// too long.
type stream struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	silent  *time.Timer
	silence time.Duration
	answer  *http.Response
	scanner *bufio.Scanner
}

// openStream opens a stream of JSON lines. If the answer is an error, retry is how long the server
// wants the client to wait; 0: it does not say.
func (c *Client) openStream(ctx context.Context, path string,
	header http.Header) (opened *stream, retry time.Duration, err error) {
	s := &stream{silence: c.timing.silence}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.silent = time.AfterFunc(s.silence, func() { s.cancel(errSilent) })
	defer func() {
		if err != nil {
			err = s.cause(err)
			s.close()
		}
	}()
	header = header.Clone()
	header.Set("Accept", typeNDJSON)
	if s.answer, err = c.send(s.ctx, c.streams, http.MethodGet, path, header, nil); err != nil {
		return nil, 0, err
	}
	s.answer.Body = &timedBody{s.answer.Body, s}
	if s.answer.StatusCode != http.StatusOK {
		if wait, again := retryAfter(s.answer, 0); again {
			retry = wait
		}
		if err := read(s.answer, nil); err != nil {
			return nil, retry, err
		}
	}
	contentType := s.answer.Header.Get("Content-Type")
	if got, _, _ := mime.ParseMediaType(contentType); s.answer.StatusCode != http.StatusOK ||
		got != typeNDJSON {
		return nil, 0, unexpected(s.answer,
			fmt.Errorf("%s with content type %q, not an event stream", s.answer.Status,
				contentType))
	}
	s.scanner = bufio.NewScanner(s.answer.Body)
	s.scanner.Buffer(nil, longestAnswer)
	s.scanner.Split(wholeLine)
	return s, 0, nil
}

// wholeLine is a bufio.SplitFunc for complete lines. It drops what a broken connection leaves of a
// line.
func wholeLine(data []byte, _ bool) (advance int, line []byte, err error) {
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		return end + 1, data[:end], nil
	}
	return 0, nil, nil
}

// err returns why there is no further line.
func (s *stream) err() error {
	if err := s.scanner.Err(); err != nil {
		return s.cause(fmt.Errorf("reading the event stream: %w", err))
	}
	return io.EOF
}

// cause returns why the stream was cancelled by this side, if it was, and otherwise err.
func (s *stream) cause(err error) error {
	if cause := context.Cause(s.ctx); cause != nil {
		return cause
	}
	return err
}

func (s *stream) close() {
	s.silent.Stop()
	s.cancel(nil)
	if s.answer != nil {
		_ = s.answer.Body.Close()
	}
}

// timedBody cancels its stream's request when a read takes too long. The time between reads does
// not count.
type timedBody struct {
	io.ReadCloser
	stream *stream
}

func (b *timedBody) Read(p []byte) (int, error) {
	b.stream.silent.Reset(b.stream.silence)
	defer b.stream.silent.Stop()
	return b.ReadCloser.Read(p)
}
