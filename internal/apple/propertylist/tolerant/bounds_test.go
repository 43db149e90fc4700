package tolerant

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// binaryOf is a binary property list of these objects, the first of which is its root; references
// have two bytes.
func binaryOf(objects ...[]byte) []byte {
	b := []byte("bplist00")
	var table []byte
	for _, o := range objects {
		table = binary.BigEndian.AppendUint32(table, uint32(len(b)))
		b = append(b, o...)
	}
	at := len(b)
	b = append(b, table...)
	b = append(b, 0, 0, 0, 0, 0, 0, 4, 2)
	b = binary.BigEndian.AppendUint64(b, uint64(len(objects)))
	b = binary.BigEndian.AppendUint64(b, 0)
	return binary.BigEndian.AppendUint64(b, uint64(at))
}

// A count that overflows when it is multiplied by the width of its elements is outside of the list.
func TestCountThatOverflows(t *testing.T) {
	for _, marker := range []byte{0x6f, 0xaf, 0xdf} {
		huge := append([]byte{marker, 0x13}, 0x80, 0, 0, 0, 0, 0, 0, 0)
		root, _ := Read(binaryOf([]byte{0xd1, 0, 1, 0, 2}, []byte{0x51, 'x'}, huge), nil)
		if _, odd := root["x"].(Odd); !odd {
			t.Errorf("%x is %#v", marker, root["x"])
		}
	}
}

// An object that is referred to often is kept as often, until the bytes or the values that a list
// may have are used up. Then what holds it says that something is missing.
func TestBinaryThatHoldsTooMuch(t *testing.T) {
	mega := append([]byte{0x5f, 0x12}, binary.BigEndian.AppendUint32(nil, 1<<20)...)
	mega = append(mega, strings.Repeat("a", 1<<20)...)
	for name, c := range map[string]struct {
		object []byte
		times  int
	}{"bytes": {mega, 40}, "values": {[]byte{0x09}, maxNodes + 10}} {
		array := append([]byte{0xaf, 0x12}, binary.BigEndian.AppendUint32(nil, uint32(c.times))...)
		array = append(array, bytes.Repeat([]byte{0, 3}, c.times)...)
		root, _ := Read(binaryOf([]byte{0xd1, 0, 1, 0, 2}, []byte{0x51, 'x'}, array, c.object), nil)
		cut, ok := root["x"].(Cut)
		if !ok {
			t.Errorf("%s: the list counts as whole: %T", name, root["x"])
			continue
		}
		if n := len(cut.Value.(List)); n == 0 || n >= c.times ||
			name == "bytes" && n > maxBytes>>20 {
			t.Errorf("%s: %d of %d are kept", name, n, c.times)
		}
	}
}
