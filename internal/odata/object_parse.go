package odata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// What a request's JSON may have, whatever its length. A value takes many times the memory of the
// few bytes that it can be written in. The largest policies have about a tenth of it.
const (
	depthLimit  = 32
	nodeLimit   = 50_000 // values, of any kind
	numberLimit = 100    // characters of a number
)

// place is where a value is in a body. It becomes text only when a message needs it.
type place struct {
	in    *place // nil: the body itself
	name  string
	index int     // of an element, which has no name
	of    *Object // that has it, if it has a name
}

// String is a place as messages name it: assignments[0].target.
func (p *place) String() string {
	var at []*place
	for ; p != nil && p.in != nil; p = p.in {
		at = append(at, p)
	}
	var b strings.Builder
	for i := len(at) - 1; i >= 0; i-- {
		switch {
		case at[i].name == "":
			fmt.Fprintf(&b, "[%d]", at[i].index)
		case b.Len() > 0:
			b.WriteString("." + Clip(at[i].name))
		default:
			b.WriteString(Clip(at[i].name))
		}
	}
	return b.String()
}

// ParseObject reads a request body that must be one JSON object. Annotations that say nothing to
// the server are left out.
func ParseObject(body []byte) (*Object, error) {
	body, err := decodeText(body)
	if err != nil {
		return nil, err
	}
	p := &bodyParser{d: json.NewDecoder(bytes.NewReader(body)), nodes: nodeLimit, depth: depthLimit,
		bounded: true}
	v, err := p.parse()
	if err != nil {
		return nil, err
	}
	if _, err := p.d.Token(); err != io.EOF {
		return nil, BadRequest("",
			"The request body is not valid JSON: something follows behind its end, at byte %d.",
			p.d.InputOffset())
	}
	o, ok := v.(*Object)
	if !ok {
		return nil, BadRequest("", "The request body must be a JSON object.")
	}
	return o, nil
}

func notJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return BadRequest("", "The request body is not valid JSON at byte %d: %s.", syntax.Offset,
			syntax.Error())
	}
	return BadRequest("", "The request body is not valid JSON.")
}

// bodyParser reads JSON, value by value, so that it ends where a bound is passed.
type bodyParser struct {
	d     *json.Decoder
	nodes int // values that may still come
	depth int // of values in each other
	// it is a request's, from outside; otherwise an answer of the server's own, as it is
	bounded bool
}

func (p *bodyParser) parse() (any, error) {
	p.d.UseNumber()
	return p.value(place{}, 0)
}

func (p *bodyParser) value(at place, depth int) (any, error) {
	token, err := p.d.Token()
	if err != nil {
		return nil, notJSON(err)
	}
	if p.bounded {
		if err := p.check(token, &at, depth); err != nil {
			return nil, err
		}
	}
	switch token {
	case json.Delim('{'):
		return p.members(&at, depth)
	case json.Delim('['):
		list := []any{}
		for p.d.More() {
			v, err := p.value(place{in: &at, index: len(list)}, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, p.end()
	default:
		return token, nil
	}
}

// check holds a value against the bounds.
func (p *bodyParser) check(token json.Token, at *place, depth int) error {
	if p.nodes--; p.nodes < 0 {
		return BadRequest("", "The request body has more than %d values. Send less at a time.",
			nodeLimit)
	}
	if depth > p.depth {
		return BadRequest(at.String(), "Property '%s' nests deeper than %d levels.", at, p.depth)
	}
	switch v := token.(type) {
	case json.Number:
		if len(v) > numberLimit {
			return BadRequest(at.String(), "Property '%s' is a number of more than %d characters.",
				at, numberLimit)
		}
	case string:
		if !plaintext.IsStorable(v) {
			return BadRequest(at.String(),
				"Property '%s' has the character U+0000, which no text here can have.", at)
		}
	}
	return nil
}

func (p *bodyParser) members(at *place, depth int) (*Object, error) {
	o := &Object{place: at, Values: make(map[string]any)}
	for p := at; p != nil && o.parent == nil; p = p.in {
		o.parent, o.property = p.of, p.name
	}
	for p.d.More() {
		token, err := p.d.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name, ok := token.(string)
		if !ok {
			return nil, BadRequest("", "The request body is not valid JSON.")
		}
		if p.bounded && !plaintext.IsStorable(name) {
			return nil, BadRequest("",
				"A property's name has the character U+0000, which no name here has.")
		}
		if _, repeated := o.Values[name]; repeated {
			return nil, BadRequest(o.At(name), "Property '%s' occurs more than once.", o.At(name))
		}
		v, err := p.value(place{in: at, name: name, of: o}, depth+1)
		if err != nil {
			return nil, err
		}
		if p.bounded && saysNothing(name) {
			continue
		}
		o.Values[name] = v
		o.Names = append(o.Names, name)
	}
	return o, p.end()
}

// end reads the end of an object or a collection.
func (p *bodyParser) end() error {
	if _, err := p.d.Token(); err != nil {
		return notJSON(err)
	}
	return nil
}
