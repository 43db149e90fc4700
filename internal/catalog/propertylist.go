package catalog

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/limit"
)

// maxNesting is deeper than any real property list, and shallow enough for every recursive reader.
const maxNesting = 64

var (
	utf8Mark    = []byte("\xef\xbb\xbf")
	binaryMagic = []byte("bplist0")
)

// DecodePropertyList decodes an XML or binary property list from outside whose root is a dictionary. It refuses what
// two readers could understand differently (a key twice, a second root) and what exhausts a reader (entities, deep
// nesting, reference loops). Values are string, bool, uint64, int64 (negative), float64, []byte, time.Time, []any and
// map[string]any.
func DecodePropertyList(b []byte) (map[string]any, error) {
	var root any
	var err error
	if bytes.HasPrefix(b, binaryMagic) {
		root, err = decodeBinary(b)
	} else {
		root, err = decodeXML(bytes.TrimPrefix(b, utf8Mark))
	}
	if err != nil {
		return nil, err
	}
	dict, ok := root.(map[string]any)
	if !ok {
		return nil, errors.New("its root is not a dictionary")
	}
	return dict, nil
}

func decodeXML(b []byte) (root any, err error) {
	if err := limit.XML(b); err != nil {
		return nil, err
	}
	if err := checkXML(b); err != nil {
		return nil, err
	}
	if err := plist.Unmarshal(b, &root); err != nil {
		return nil, err
	}
	return root, nil
}

// element is an open element of a property list.
type element struct {
	name   string
	keys   map[string]bool // of dict
	key    bool            // of dict: a key waits for its value
	values int
	text   []byte
}

func (e *element) container() bool {
	return e.name == "document" || e.name == "plist" || e.name == "dict" || e.name == "array"
}

// checkXML holds the document against the grammar of Apple's property list DTD.
func checkXML(b []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(b))
	root := &element{name: "document"}
	open := []*element{root}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) && len(open) == 1 && root.values == 1 {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return errors.New("it ends too early")
		}
		if err == nil {
			open, err = step(open, token)
		}
		if err != nil {
			line, _ := dec.InputPos()
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func step(open []*element, token xml.Token) ([]*element, error) {
	in := open[len(open)-1]
	switch t := token.(type) {
	case xml.Directive:
		if bytes.ContainsRune(t, '[') {
			return nil, errors.New("a document type with declarations of its own is not allowed")
		}
	case xml.CharData:
		if !in.container() {
			in.text = append(in.text, t...)
		} else if len(bytes.TrimSpace(t)) > 0 {
			return nil, fmt.Errorf("text %.20q outside of a value", bytes.TrimSpace(t))
		}
	case xml.StartElement:
		e := &element{name: t.Name.Local}
		if err := in.accept(e); err != nil {
			return nil, err
		}
		if len(open) > maxNesting {
			return nil, fmt.Errorf("nested deeper than %d levels", maxNesting)
		}
		return append(open, e), nil
	case xml.EndElement:
		open = open[:len(open)-1]
		return open, open[len(open)-1].take(in)
	}
	return open, nil
}

// accept checks that e may begin inside in.
func (in *element) accept(e *element) error {
	switch {
	case !in.container():
		return fmt.Errorf("element %q inside %q", e.name, in.name)
	case e.name == "plist" && in.name != "document":
		return fmt.Errorf("element \"plist\" inside %q", in.name)
	case (in.name == "document" || in.name == "plist") && in.values > 0:
		return errors.New("a second root value")
	case e.name == "key" && in.name != "dict":
		return errors.New("a key outside of a dictionary")
	case e.name == "key" && in.key:
		return errors.New("a key without a value")
	case e.name != "key" && in.name == "dict" && !in.key:
		return fmt.Errorf("element %q without a key", e.name)
	}
	return nil
}

// take puts the finished element e into in.
func (in *element) take(e *element) error {
	if e.name == "key" {
		name := string(e.text)
		if in.keys[name] {
			return fmt.Errorf("the key %.60q is there twice", name)
		}
		if in.keys == nil {
			in.keys = make(map[string]bool)
		}
		in.keys[name], in.key = true, true
		return nil
	}
	switch {
	case e.name == "dict" && e.key:
		return errors.New("a key without a value")
	case e.name == "plist" && e.values == 0:
		return errors.New("the property list is empty")
	}
	in.key = false
	in.values++
	return nil
}
