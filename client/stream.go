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

// streamTiming is how long a stream's reader waits for what.
type streamTiming struct {
	silence time.Duration // without any byte: then the connection is dead
	pause   time.Duration // before a stream is opened again
	outage  time.Duration // of the server, that does not end a watch: it may restart
}

// The server sends a sign of life every 15 seconds.
var defaultTiming = streamTiming{silence: 45 * time.Second, pause: 500 * time.Millisecond,
	outage: time.Minute}

const typeNDJSON = "application/x-ndjson"

// errSilent is the end of a stream whose connection seems dead.
var errSilent = fmt.Errorf("the server does not answer: %w", context.DeadlineExceeded)

// stream is an answer that goes on, line by line, until the connection breaks or is silent for too
// long.
type stream struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	silent  *time.Timer
	silence time.Duration
	answer  *http.Response
	scanner *bufio.Scanner
}

// openStream asks for a stream of lines of JSON. The server may say in an error when to ask again;
// 0: it does not.
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
	s.answer.Body = &patientBody{s.answer.Body, s}
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

// wholeLine is a bufio.SplitFunc for lines that are there to their end: what a broken connection
// leaves is none.
func wholeLine(data []byte, _ bool) (advance int, line []byte, err error) {
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		return end + 1, data[:end], nil
	}
	return 0, nil, nil
}

// err says why there is no further line.
func (s *stream) err() error {
	if err := s.scanner.Err(); err != nil {
		return s.cause(fmt.Errorf("reading the event stream: %w", err))
	}
	return io.EOF
}

// cause is err, or what was done to the stream here that led to it.
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

// patientBody cancels its stream's request when a read takes too long. Time in which nobody reads
// does not count.
type patientBody struct {
	io.ReadCloser
	stream *stream
}

func (b *patientBody) Read(p []byte) (int, error) {
	b.stream.silent.Reset(b.stream.silence)
	defer b.stream.silent.Stop()
	return b.ReadCloser.Read(p)
}
