package audit

import (
	"bytes"
	"fmt"
)

// Broken says where the record differs from what was written.
type Broken struct {
	Sequence int64 // number of the first entry that is wrong or missing
	Problem  string
}

func (b *Broken) Error() string { return "the audit record is broken: " + b.Problem }

func broken(sequence int64, format string, args ...any) error {
	return &Broken{sequence, fmt.Sprintf(format, args...)}
}

// Verifier checks a chain, entry by entry. The zero value expects the whole record, from its first
// entry.
type Verifier struct {
	Part   bool // the entries need not begin with the first one of the record
	Expect Head // a head that was noted earlier and that the chain must go through; zero: none

	begun bool
	start Head // the head before the first entry
	last  Head
}

// Add checks the next entry. The error is a *Broken if it is not what was written there.
func (v *Verifier) Add(e *Entry) error {
	if !v.begun {
		v.begun = true
		if v.Part && e.Sequence > 1 {
			v.start = Head{e.Sequence - 1, e.Previous}
			v.last = v.start
		}
		if err := v.checkExpected(v.start); err != nil {
			return err
		}
	}
	next := v.last.Sequence + 1
	continues, intact := bytes.Equal(e.Previous, v.last.Hash), bytes.Equal(e.Hash, e.sum())
	switch {
	case e.Sequence > next:
		return broken(next, "%s: entry %d comes after entry %d", missing(next, e.Sequence-1),
			e.Sequence, v.last.Sequence)
	case e.Sequence < next:
		return broken(next, "entry %d is out of its place: it comes after entry %d", e.Sequence,
			v.last.Sequence)
	case !intact && continues:
		return broken(next, "entry %d was changed: its hash does not fit what it says", next)
	case !intact:
		return broken(next, "entry %d was changed, or another one was put in its place", next)
	case !continues && next == 1:
		return broken(next, "entry 1 says that another one was before it")
	case !continues:
		return broken(next,
			"entry %d does not follow entry %d: that one was written anew, or this one put in",
			next, next-1)
	}
	v.last = Head{e.Sequence, e.Hash}
	return v.checkExpected(v.last)
}

// checkExpected compares a head of the chain with the expected one, if it has the same number.
func (v *Verifier) checkExpected(h Head) error {
	if v.Expect.Sequence == h.Sequence && !bytes.Equal(v.Expect.Hash, h.Hash) {
		return broken(h.Sequence,
			"entry %d is not the one that was noted earlier: "+
				"it, or the record from an entry before it on, was written anew",
			h.Sequence)
	}
	return nil
}

func missing(from, to int64) string {
	if from == to {
		return fmt.Sprintf("entry %d is missing", from)
	}
	return fmt.Sprintf("entries %d to %d are missing", from, to)
}

// End checks that nothing is missing after the last entry, and returns the head of the chain. noted
// is the head that the store keeps; nil: it is not known, as with a file.
func (v *Verifier) End(noted *Head) (Head, error) {
	last := v.last.Sequence
	switch {
	case noted != nil && noted.Sequence > last:
		return Head{}, broken(last+1, "%s at the end", missing(last+1, noted.Sequence))
	case noted != nil && noted.Sequence < last:
		return Head{}, broken(noted.Sequence+1,
			"the head is entry %d, but there are entries up to %d: "+
				"it was set back, or they were put in",
			noted.Sequence, last)
	case noted != nil && !bytes.Equal(noted.Hash, v.last.Hash):
		return Head{}, broken(last,
			"the head is not entry %d as it is: the head was changed, or the entry written anew",
			last)
	case v.Expect.Sequence > last:
		return Head{}, broken(last+1, "%s at the end: entry %d was noted earlier",
			missing(last+1, v.Expect.Sequence), v.Expect.Sequence)
	case v.Expect.Sequence > 0 && v.Expect.Sequence < v.start.Sequence:
		return Head{}, fmt.Errorf("these entries begin at %d, so they cannot show entry %d "+
			"that was noted earlier: export from there",
			v.start.Sequence+1, v.Expect.Sequence)
	}
	return v.last, nil
}
