package propertylist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf16"
)

const (
	binaryTrailer = 32
	// appleEpoch is 2001-01-01 UTC in Unix seconds: a binary date counts from it.
	appleEpoch = 978307200
	// binaryBudget bounds the bytes that a file may expand to in memory: an object can be referred
	// to often.
	binaryBudget = 16 << 20
	binaryValue  = 32 // what a value costs beside its own bytes
	binaryRef    = 16 // what a place in an array or dictionary costs, whatever it is filled with
)

var errTruncated = errors.New("the binary property list is damaged: something lies outside of the file")

// binaryReader reads Apple's binary property list (CFBinaryPList.c). plist.Unmarshal is not for
// bytes from outside: it follows reference loops for ever, allocates whatever length is claimed and
// reads a negative integer as a huge one.
type binaryReader struct {
	objects []byte // all before the offset table
	offsets []byte
	offSize int
	refSize int
	count   uint64
	budget  int
}

func decodeBinary(b []byte) (any, error) {
	if len(b) < len("bplist00")+binaryTrailer {
		return nil, errTruncated
	}
	t := b[len(b)-binaryTrailer:]
	r := &binaryReader{offSize: int(t[6]), refSize: int(t[7]),
		count: binary.BigEndian.Uint64(t[8:]), budget: binaryBudget}
	root, table := binary.BigEndian.Uint64(t[16:]), binary.BigEndian.Uint64(t[24:])
	end := uint64(len(b) - binaryTrailer)
	if r.offSize < 1 || r.offSize > 8 || r.refSize < 1 || r.refSize > 8 {
		return nil,
			errors.New("the binary property list is damaged: impossible sizes in its trailer")
	}
	if table > end || r.count > (end-table)/uint64(r.offSize) {
		return nil, errTruncated
	}
	r.objects, r.offsets = b[:table], b[table:end]
	return r.object(root, 0)
}

func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func (r *binaryReader) spend(n uint64) error {
	if n+binaryValue > uint64(r.budget) {
		return errors.New("the binary property list expands to more than is allowed")
	}
	r.budget -= int(n) + binaryValue
	return nil
}

// object reads the object with the number ref and all that it refers to.
func (r *binaryReader) object(ref uint64, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("nested deeper than %d levels", maxNesting)
	}
	if ref >= r.count {
		return nil, errTruncated
	}
	at := bigEndian(r.offsets[ref*uint64(r.offSize):][:r.offSize])
	if at >= uint64(len(r.objects)) {
		return nil, errTruncated
	}
	if err := r.spend(0); err != nil {
		return nil, err
	}
	marker, body := r.objects[at], r.objects[at+1:]
	switch kind, low := marker>>4, marker&0xf; {
	case marker == 0x08:
		return false, nil
	case marker == 0x09:
		return true, nil
	case kind == 1 && low <= 4:
		return readInteger(body, 1<<low)
	case kind == 2 && low == 2 && len(body) >= 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(body))), nil
	case kind == 2 && low == 3 && len(body) >= 8:
		return math.Float64frombits(binary.BigEndian.Uint64(body)), nil
	case marker == 0x33 && len(body) >= 8:
		return readDate(math.Float64frombits(binary.BigEndian.Uint64(body)))
	case kind == 4, kind == 5, kind == 6, kind == 0xa, kind == 0xd:
		return r.counted(kind, low, body, depth)
	}
	return nil,
		fmt.Errorf("the binary property list has an object of a type that is not allowed (marker %#02x)", marker)
}

// counted reads an object whose marker is followed by a count: data, a string, an array or a
// dictionary.
func (r *binaryReader) counted(kind, low byte, body []byte, depth int) (any, error) {
	n := uint64(low)
	if low == 0xf {
		if len(body) == 0 || body[0]>>4 != 1 || body[0]&0xf > 3 || len(body) < 1+1<<(body[0]&0xf) {
			return nil, errTruncated
		}
		size := 1 << (body[0] & 0xf)
		n, body = bigEndian(body[1:][:size]), body[1+size:]
	}
	width := map[byte]uint64{4: 1, 5: 1, 6: 2, 0xa: uint64(r.refSize),
		0xd: 2 * uint64(r.refSize)}[kind]
	if n > uint64(len(body))/width {
		return nil, errTruncated
	}
	body = body[:n*width]
	if kind >= 0xa {
		width = width / uint64(r.refSize) * binaryRef
	}
	if err := r.spend(n * width); err != nil {
		return nil, err
	}
	switch kind {
	case 4:
		return append([]byte(nil), body...), nil
	case 5:
		return string(body), nil
	case 6:
		units := make([]uint16, n)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(body[2*i:])
		}
		return string(utf16.Decode(units)), nil
	case 0xa:
		return r.array(body, depth)
	default:
		return r.dictionary(body, depth)
	}
}

func (r *binaryReader) array(refs []byte, depth int) ([]any, error) {
	list := make([]any, len(refs)/r.refSize)
	for i := range list {
		v, err := r.object(bigEndian(refs[i*r.refSize:][:r.refSize]), depth+1)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

// dictionary reads a dictionary from its references: those of all keys, then those of all values.
func (r *binaryReader) dictionary(refs []byte, depth int) (map[string]any, error) {
	keys, err := r.array(refs[:len(refs)/2], depth)
	if err != nil {
		return nil, err
	}
	values, err := r.array(refs[len(refs)/2:], depth)
	if err != nil {
		return nil, err
	}
	dict := make(map[string]any, len(keys))
	for i, k := range keys {
		name, ok := k.(string)
		if !ok {
			return nil, errors.New("a dictionary's key is not a string")
		}
		if _, twice := dict[name]; twice {
			return nil, fmt.Errorf("the key %.60q is there twice", name)
		}
		dict[name] = values[i]
	}
	return dict, nil
}

// readInteger reads size bytes: shorter than 8 they are unsigned, 8 are signed, 16 hold what does
// not fit into 8.
func readInteger(b []byte, size int) (any, error) {
	if len(b) < size {
		return nil, errTruncated
	}
	b = b[:size]
	negative := size >= 8 && b[0]&0x80 != 0
	if size == 16 {
		if high := bigEndian(b[:8]); high != 0 && high != math.MaxUint64 {
			return nil, errors.New("an integer is longer than 64 bits")
		}
		b = b[8:]
	}
	n := bigEndian(b)
	if negative {
		return int64(n), nil
	}
	return n, nil
}

func readDate(seconds float64) (any, error) {
	seconds += appleEpoch
	const year10000 = 253402300800
	if !(seconds >= -62135596800 && seconds < year10000) { // also refuses NaN
		return nil, errors.New("a date is outside of the years 1 to 9999")
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}
