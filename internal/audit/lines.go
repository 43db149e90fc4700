package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"
)

// maxLine bounds a line of an exported record, in bytes. No operation can have written more.
const maxLine = 64 << 20

// line is an entry in an exported record.
type line struct {
	Sequence int64           `json:"sequence"`
	ID       string          `json:"id"`
	At       time.Time       `json:"at"`
	Actor    Actor           `json:"actor"`
	Activity string          `json:"activity"`
	Kind     Kind            `json:"kind"`
	Objects  json.RawMessage `json:"objects"`
	Result   Result          `json:"result"`
	Status   int             `json:"status"`
	Reason   string          `json:"reason"`
	Request  string          `json:"request"`
	Skipped  int             `json:"skipped"`
	Previous Sum             `json:"previous"`
	Hash     Sum             `json:"hash"`
}

// WriteLine writes a sealed entry as one line of JSON, from which ReadLines makes exactly the same
// entry.
func WriteLine(to io.Writer, e *Entry) error {
	text, err := marshalLine(e)
	if err == nil {
		_, err = to.Write(text)
	}
	if err != nil {
		return fmt.Errorf("writing audit entry %d: %w", e.Sequence, err)
	}
	return nil
}

func marshalLine(e *Entry) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)                // Objects must keep the very bytes that were hashed
	at := e.At.UTC().Truncate(time.Microsecond) // the precision that the hash covers
	err := encoder.Encode(line{e.Sequence, e.ID, at, e.Actor, e.Activity, e.Kind, e.objects,
		e.Result, e.Status, e.Reason, e.Request,
		e.Skipped, e.Previous, e.Hash})
	return b.Bytes(), err
}

// ReadLines calls each for every entry of an exported record. A line with unknown properties, or
// with a property twice, is an error, because another reader might see another entry in it.
func ReadLines(from io.Reader, each func(*Entry) error) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		e, err := parseLine(lines.Bytes())
		if err != nil {
			return fmt.Errorf("line %d is not an audit entry: %w", n, err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading after line %d: %w", n, err)
	}
	return nil
}

func parseLine(text []byte) (*Entry, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, err
	}
	e := &Entry{Sequence: l.Sequence, ID: l.ID, At: l.At, Actor: l.Actor, Activity: l.Activity,
		Kind: l.Kind, Result: l.Result,
		Status: l.Status, Reason: l.Reason, Request: l.Request, Skipped: l.Skipped,
		Previous: l.Previous, Hash: l.Hash}
	if err := e.SetObjectsText(l.Objects); err != nil {
		return nil, err
	}
	again, err := marshalLine(e)
	if err != nil {
		return nil, err
	}
	if !sameTokens(text, again) {
		return nil,
			errors.New("it has other properties than an entry has, or in another order or form")
	}
	return e, nil
}

// sameTokens compares two JSON texts, ignoring white space and how strings are escaped.
func sameTokens(a, b []byte) bool {
	one, other := json.NewDecoder(bytes.NewReader(a)), json.NewDecoder(bytes.NewReader(b))
	one.UseNumber()
	other.UseNumber()
	for {
		x, errX := one.Token()
		y, errY := other.Token()
		if errX != nil || errY != nil {
			return errX == io.EOF && errY == io.EOF
		}
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
}
