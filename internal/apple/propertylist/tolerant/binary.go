package tolerant

import (
	"encoding/binary"
	"math"
	"time"
	"unicode/utf16"
)

const (
	trailerSize = 32
	// appleEpoch is 2001-01-01 UTC in Unix seconds: a binary date counts from it.
	appleEpoch = 978307200
	year1      = -62135596800
	year10000  = 253402300800
)

var outside = Odd{"it lies outside of the property list"}

// binaryReader reads Apple's binary property list (CFBinaryPList.c). An object that is referred to
// often is read as often, within the limits; one that holds itself is read until it is nested too
// deep.
type binaryReader struct {
	limits
	objects          []byte // all before the offset table
	offsets          []byte
	offSize, refSize int
	count            uint64
}

func readBinary(b []byte, w Wanted) (Dict, string) {
	const damaged = "the binary property list is damaged"
	if len(b) < len("bplist00")+trailerSize {
		return nil, damaged
	}
	t := b[len(b)-trailerSize:]
	r := &binaryReader{limits: limits{nodes: maxNodes, bytes: maxBytes}, offSize: int(t[6]),
		refSize: int(t[7]), count: binary.BigEndian.Uint64(t[8:])}
	root, table := binary.BigEndian.Uint64(t[16:]), binary.BigEndian.Uint64(t[24:])
	end := uint64(len(b) - trailerSize)
	if r.offSize < 1 || r.offSize > 8 || r.refSize < 1 || r.refSize > 8 || table > end ||
		r.count > (end-table)/uint64(r.offSize) {
		return nil, damaged
	}
	r.objects, r.offsets = b[:table], b[table:end]
	dict, ok := Part(r.object(root, w, 1)).(Dict)
	if !ok {
		return nil, "its root is not a dictionary"
	}
	return dict, ""
}

func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// object reads the object with the number ref.
func (r *binaryReader) object(ref uint64, w Wanted, depth int) any {
	if !r.spend(0) {
		return tooMuch
	}
	if ref >= r.count {
		return outside
	}
	at := bigEndian(r.offsets[ref*uint64(r.offSize):][:r.offSize])
	if at >= uint64(len(r.objects)) {
		return outside
	}
	if depth > maxDepth {
		return Odd{"nested too deep"}
	}
	marker, body := r.objects[at], r.objects[at+1:]
	switch kind, low := marker>>4, marker&0xf; {
	case marker == 0x08:
		return false
	case marker == 0x09:
		return true
	case kind == 1 && low <= 4 && len(body) >= 1<<low:
		return binaryInteger(body[:1<<low])
	case kind == 2 && low == 2 && len(body) >= 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(body)))
	case kind == 2 && low == 3 && len(body) >= 8:
		return math.Float64frombits(binary.BigEndian.Uint64(body))
	case marker == 0x33 && len(body) >= 8:
		return binaryDate(math.Float64frombits(binary.BigEndian.Uint64(body)))
	case kind == 4, kind == 5, kind == 6, kind == 0xa, kind == 0xd:
		return r.counted(kind, low, body, w, depth)
	}
	return Odd{"an object that property lists do not have"}
}

// counted reads an object whose marker is followed by a count: data, a string, an array or a
// dictionary.
func (r *binaryReader) counted(kind, low byte, body []byte, w Wanted, depth int) any {
	n := uint64(low)
	if low == 0xf {
		if len(body) == 0 || body[0]>>4 != 1 || body[0]&0xf > 3 || len(body) < 1+1<<(body[0]&0xf) {
			return outside
		}
		size := 1 << (body[0] & 0xf)
		n, body = bigEndian(body[1:][:size]), body[1+size:]
	}
	width := uint64(1)
	switch kind {
	case 6:
		width = 2
	case 0xa:
		width = uint64(r.refSize)
	case 0xd:
		width = 2 * uint64(r.refSize)
	}
	if n > uint64(len(body))/width {
		return outside
	}
	body = body[:n*width]
	switch kind {
	case 0xa:
		return r.array(body, w, depth)
	case 0xd:
		return r.dict(body, w, depth)
	}
	if r.bytes -= len(body); r.bytes < 0 {
		return tooMuch
	}
	switch kind {
	case 4:
		return append([]byte(nil), body...)
	case 5:
		return clean(string(body))
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(body[2*i:])
	}
	return clean(string(utf16.Decode(units)))
}

func (r *binaryReader) array(refs []byte, w Wanted, depth int) any {
	list := List{}
	for ; len(refs) > 0; refs = refs[r.refSize:] {
		v := r.object(bigEndian(refs[:r.refSize]), w, depth+1)
		if v == tooMuch {
			return Cut{list, tooMuch.Why}
		}
		list = append(list, v)
	}
	return list
}

// dict reads a dictionary from its references: those of all keys, then those of all values.
func (r *binaryReader) dict(refs []byte, w Wanted, depth int) any {
	d := Dict{}
	keys, values := refs[:len(refs)/2], refs[len(refs)/2:]
	for ; len(keys) > 0; keys, values = keys[r.refSize:], values[r.refSize:] {
		read := r.object(bigEndian(keys[:r.refSize]), nil, maxDepth)
		if read == tooMuch {
			return Cut{d, tooMuch.Why}
		}
		key, ok := read.(string)
		inner, wanted := w.of(key)
		if !ok || !wanted {
			continue
		}
		v := r.object(bigEndian(values[:r.refSize]), inner, depth+1)
		if v == tooMuch && depth > 1 {
			return Cut{d, tooMuch.Why}
		}
		d[key] = v
	}
	return d
}

// binaryInteger: shorter than 8 bytes it has no sign; 16 hold what does not fit into 8.
func binaryInteger(b []byte) any {
	negative := len(b) >= 8 && b[0]&0x80 != 0
	if len(b) == 16 {
		if high := bigEndian(b[:8]); high != 0 && high != math.MaxUint64 {
			return Odd{"an integer that is out of range"}
		}
		b = b[8:]
	}
	n := bigEndian(b)
	if negative {
		return int64(n)
	}
	return n
}

func binaryDate(seconds float64) any {
	seconds += appleEpoch
	if !(seconds >= year1 && seconds < year10000) { // also refuses NaN
		return Odd{"a date that is none"}
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC()
}
