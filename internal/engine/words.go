package engine

import "github.com/syncpayloads/syncpayloads/internal/plaintext"

// longestDetail is the most bytes that are kept of a device's own words on one payload. With what
// the rules write around them a detail stays below 4 KiB.
const longestDetail = 3 << 10

// bound cuts a device's words to what is kept. It is here so that no channel can forget it.
func (r *Report) bound() {
	r.Outcome.Detail = bounded(r.Outcome.Detail)
	for i := range r.Outcome.Sightings {
		s := &r.Outcome.Sightings[i]
		s.Detail = bounded(s.Detail)
	}
}

func bounded(words string) string {
	return plaintext.CutBytes(plaintext.Storable(words), longestDetail)
}
