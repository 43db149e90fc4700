package simulator

import (
	"cmp"
	"slices"
	"time"
)

// Request is one request to Graph as it came, and what became of it. Each of a batch is one.
type Request struct {
	At      time.Time
	Tenant  string // its id; empty: nobody knows who asked
	App     string // the client id
	User    string // the UPN of who signed in; empty: the application itself
	Method  string
	Path    string // as it was sent, below /beta/
	Query   string // as it was sent
	Bucket  string // devices, configuration, reports, apps, directory; empty: of no known address
	Status  int    // 0: the connection was cut
	Batched bool
	Verdict Verdict
}

// Verdict is what the allow-list of a client must say of a request.
type Verdict int

// The verdicts.
const (
	Expected   Verdict = iota // of the addresses that this package serves
	Unexpected                // of none of them
	Forbidden                 // it would have changed something: wipe, retire, DELETE, …
)

// Rate is how many requests one application made in one minute to one bucket.
type Rate struct {
	Minute                 time.Time
	Tenant, App, Bucket    string
	Reads, Writes, Refused int // refused with 429; they are among the reads and writes
}

type rateKey struct {
	minute              int64
	tenant, app, bucket string
}

// record is what came.
type record struct {
	keep     int
	first    int // where the oldest is, once all places are taken
	requests []Request
	rates    map[rateKey]*Rate
}

func newRecord(keep int) record { return record{keep: keep, rates: make(map[rateKey]*Rate)} }

func (r *record) add(one Request) {
	if len(r.requests) < r.keep {
		r.requests = append(r.requests, one)
	} else {
		r.requests[r.first] = one
		r.first = (r.first + 1) % r.keep
	}
	minute := one.At.Truncate(time.Minute)
	key := rateKey{minute.Unix(), one.Tenant, one.App, one.Bucket}
	rate := r.rates[key]
	if rate == nil {
		if len(r.rates) >= r.keep {
			return
		}
		rate = &Rate{Minute: minute, Tenant: one.Tenant, App: one.App, Bucket: one.Bucket}
		r.rates[key] = rate
	}
	if isWrite(one.Method) {
		rate.Writes++
	} else {
		rate.Reads++
	}
	if one.Status == 429 {
		rate.Refused++
	}
}

// Requests are the requests to Graph, oldest first. Batches are there as what is in them.
func (s *Site) Requests() []Request {
	return s.requests(func(Request) bool { return true })
}

// Unexpected are the requests for what this package does not serve. A client that keeps to its
// allow-list makes none.
func (s *Site) Unexpected() []Request {
	return s.requests(func(r Request) bool { return r.Verdict == Unexpected })
}

// Forbidden are the requests that would have changed something else than which items are off.
func (s *Site) Forbidden() []Request {
	return s.requests(func(r Request) bool { return r.Verdict == Forbidden })
}

func (s *Site) requests(fit func(Request) bool) []Request {
	s.enter()
	defer s.mu.Unlock()
	var list []Request
	for i := range s.record.requests {
		one := s.record.requests[(s.record.first+i)%len(s.record.requests)]
		if fit(one) {
			list = append(list, one)
		}
	}
	return list
}

// Rates are the requests by minute, application and bucket, in this order.
func (s *Site) Rates() []Rate {
	s.enter()
	defer s.mu.Unlock()
	var list []Rate
	for _, one := range s.record.rates {
		list = append(list, *one)
	}
	slices.SortFunc(list, func(a, b Rate) int {
		return cmp.Or(a.Minute.Compare(b.Minute), cmp.Compare(a.Tenant, b.Tenant),
			cmp.Compare(a.App, b.App), cmp.Compare(a.Bucket, b.Bucket))
	})
	return list
}

// Forget empties what Requests, Unexpected, Forbidden and Rates tell.
func (s *Site) Forget() {
	s.enter()
	defer s.mu.Unlock()
	s.record = newRecord(s.options.KeepRequests)
}
