package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"
)

// Head names the last entry of a chain. The zero Head is that of an empty record.
type Head struct {
	Sequence int64
	Hash     Sum
}

func (h Head) String() string { return strconv.FormatInt(h.Sequence, 10) + ":" + h.Hash.String() }

// ParseHead parses what String wrote.
func ParseHead(text string) (h Head, err error) {
	sequence, sum, _ := strings.Cut(text, ":")
	h.Sequence, err = strconv.ParseInt(sequence, 10, 64)
	if err == nil {
		err = h.Hash.UnmarshalText([]byte(sum))
	}
	if err != nil || h.Sequence < 1 || len(h.Hash) != sha256.Size {
		return Head{}, fmt.Errorf("%.100q is not the head of a record: "+
			"want SEQUENCE:HASH as `audit verify` prints it", text)
	}
	return h, nil
}

// Seal returns the entry as the next one after head, with its hash. Texts and times are first
// changed to what every store and file can hold.
func (e Entry) Seal(head Head) (Entry, error) {
	for _, text := range []*string{&e.ID, &e.Actor.ID, &e.Actor.Name, &e.Actor.Address, &e.Activity,
		(*string)(&e.Kind),
		(*string)(&e.Result), &e.Reason, &e.Request} {
		*text = storable(*text)
	}
	var roles []string
	for _, role := range e.Actor.Roles {
		if role = storable(role); role != "" {
			roles = append(roles, role)
		}
	}
	e.Actor.Roles = roles
	e.At = e.At.UTC().Truncate(time.Microsecond)
	text, err := marshalObjects(e.Objects)
	if err == nil {
		err = e.SetObjectsText(text)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("an audit entry of %s: %w", e.Activity, err)
	}
	e.Sequence, e.Previous = head.Sequence+1, head.Hash
	e.Hash = e.sum()
	return e, nil
}

// storable replaces invalid UTF-8 and control characters, for which no text of the record has a
// use.
func storable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func marshalObjects(objects []Object) (json.RawMessage, error) {
	if len(objects) == 0 {
		return json.RawMessage("[]"), nil
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(objects); err != nil {
		return nil, err
	}
	return bytes.ToValidUTF8(bytes.TrimSpace(b.Bytes()), []byte("\ufffd")), nil
}

// ObjectsText returns the Objects of a sealed entry as JSON, in the very bytes that the hash
// covers.
func (e *Entry) ObjectsText() json.RawMessage { return e.objects }

// SetObjectsText sets Objects from the text with which a sealed entry was stored.
func (e *Entry) SetObjectsText(text json.RawMessage) error {
	e.Objects, e.objects = nil, bytes.Clone(text)
	if err := json.Unmarshal(text, &e.Objects); err != nil {
		return fmt.Errorf("its objects cannot be read: %w", err)
	}
	return nil
}

// sum computes the entry's hash: SHA-256 over every field. The length of each field comes before
// it, so that no two different entries have the same bytes. The label at the beginning tells this
// encoding from later ones.
func (e *Entry) sum() Sum {
	s := digest{sha256.New()}
	s.text("syncpayloads audit entry 1")
	s.number(e.Sequence)
	s.text(e.ID)
	s.number(e.At.UnixMicro())
	s.text(e.Actor.ID)
	s.text(e.Actor.Name)
	s.text(e.Actor.Address)
	s.number(int64(len(e.Actor.Roles)))
	for _, role := range e.Actor.Roles {
		s.text(role)
	}
	s.text(e.Activity)
	s.text(string(e.Kind))
	s.text(string(e.objects))
	s.text(string(e.Result))
	s.number(int64(e.Status))
	s.text(e.Reason)
	s.text(e.Request)
	s.number(int64(e.Skipped))
	s.text(string(e.Previous))
	return s.Sum(nil)
}

type digest struct{ hash.Hash }

func (d digest) number(n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	_, _ = d.Write(b[:]) // a hash never fails to write
}

func (d digest) text(s string) {
	d.number(int64(len(s)))
	_, _ = io.WriteString(d, s)
}
