package cms

import (
	"errors"
	"fmt"
)

// What a message may be made of. Real ones are about 12 levels deep, 22 with a time stamp in them,
// and have some hundred elements beside the pieces of their content, which writers cut at 1,000
// bytes or more.
const (
	maxDepth    = 32
	maxElements = 2048
	perElement  = 256 // bytes of a message for which it may have one element more
)

var errDamaged = errors.New("damaged ASN.1: an element does not lie inside the one around it")

// element is one element of a message (X.690, section 8.1).
type element struct {
	tag      []byte // identifier octets
	content  []byte // of a primitive one
	children []element
	length   int // of the content in DER
}

func (e *element) constructed() bool { return e.tag[0]&0x20 != 0 }

// is tells whether the element has a tag of one octet.
func (e *element) is(tag byte) bool { return len(e.tag) == 1 && e.tag[0] == tag }

// reader reads BER. Each byte is looked at once, however the message is made.
type reader struct{ elements int }

// parse reads the element that a message begins with. What comes behind it is left.
func parse(b []byte) (*element, error) {
	r := &reader{elements: maxElements + len(b)/perElement}
	e, _, err := r.element(b, 1)
	return e, err
}

// element reads one element that must end inside b, and returns what comes behind it.
func (r *reader) element(b []byte, depth int) (*element, []byte, error) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("ASN.1 nested deeper than %d levels", maxDepth)
	}
	if r.elements--; r.elements < 0 {
		return nil, nil, errors.New("ASN.1 with too many elements for its length")
	}
	e, length, b, err := readHeader(b)
	if err != nil {
		return nil, nil, err
	}
	if length == indefinite {
		return r.indefinite(e, b, depth)
	}
	content, rest := b[:length], b[length:]
	if !e.constructed() {
		e.content, e.length = content, length
		return e, rest, nil
	}
	for len(content) > 0 {
		if content, err = r.child(e, content, depth); err != nil {
			return nil, nil, err
		}
	}
	return e, rest, nil
}

// indefinite reads the content of an element that ends with a mark of its own (X.690, section
// 8.1.3.6). Apple's devices sign in this form.
func (r *reader) indefinite(e *element, b []byte, depth int) (*element, []byte, error) {
	for err := error(nil); ; {
		if len(b) >= 2 && b[0] == 0 && b[1] == 0 {
			return e, b[2:], nil
		}
		if b, err = r.child(e, b, depth); err != nil {
			return nil, nil, err
		}
	}
}

func (r *reader) child(parent *element, b []byte, depth int) ([]byte, error) {
	e, rest, err := r.element(b, depth+1)
	if err != nil {
		return nil, err
	}
	parent.add(*e)
	return rest, nil
}

func (e *element) add(child element) {
	e.children = append(e.children, child)
	e.length += child.size()
}

// size is the length of the whole element in DER.
func (e *element) size() int { return len(e.tag) + lengthOctets(e.length) + e.length }

const indefinite = -1

// readHeader reads identifier and length octets.
func readHeader(b []byte) (e *element, length int, content []byte, err error) {
	n := 1
	if len(b) > 0 && b[0]&0x1f == 0x1f { // the tag goes on as long as the first bit is set
		for n < len(b) && b[n] >= 0x80 {
			n++
		}
		n++
	}
	if n >= len(b) || n > 4 || b[0] == 0 {
		return nil, 0, nil, errDamaged
	}
	e, b = &element{tag: b[:n]}, b[n:]
	first, b := b[0], b[1:]
	switch octets := int(first & 0x7f); {
	case first < 0x80:
		length = octets
	case octets == 0 && e.constructed():
		return e, indefinite, b, nil
	case octets == 0 || octets > 4 || octets > len(b):
		return nil, 0, nil, errDamaged
	default:
		for _, c := range b[:octets] {
			length = length<<8 | int(c)
		}
		b = b[octets:]
	}
	if length < 0 || length > len(b) {
		return nil, 0, nil, errDamaged
	}
	return e, length, b, nil
}

// lengthOctets is how many octets a length takes in DER (X.690, section 10.1).
func lengthOctets(length int) int {
	n := 1
	for rest := length; length >= 0x80 && rest > 0; rest >>= 8 {
		n++
	}
	return n
}

// appendTo writes the element in DER, but for the order of sets, which is left as it is.
func (e *element) appendTo(b []byte) []byte {
	b = append(b, e.tag...)
	octets := lengthOctets(e.length)
	if octets == 1 {
		b = append(b, byte(e.length))
	} else {
		b = append(b, 0x80|byte(octets-1))
		for i := octets - 2; i >= 0; i-- {
			b = append(b, byte(e.length>>(8*i)))
		}
	}
	b = append(b, e.content...)
	for i := range e.children {
		b = e.children[i].appendTo(b)
	}
	return b
}

func (e *element) der() []byte { return e.appendTo(make([]byte, 0, e.size())) }
