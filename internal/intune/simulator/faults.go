package simulator

import "time"

// Faults are what goes wrong, each by itself. Probabilities are from 0 to 1. The zero value is a
// tenant in which nothing does.
type Faults struct {
	// Throttle is the probability with which a request is refused with 429 for no known reason.
	Throttle float64
	// HiddenLimit is an undocumented limit of requests in 20 seconds to one kind of address. Who
	// exceeds it is not told when to come back. Zero: none.
	HiddenLimit int
	RetryAfter  RetryAfter
	Unavailable float64 // 503 or 504 before the effect
	LoseAnswers float64 // 503 or 504 after the effect of a POST
	CutAnswers  float64 // the connection ends after the effect, without an answer

	PageSizes  bool // each page of a list has another size
	ShiftPages bool // between pages the list moves by one: something is there twice, or not at all
	// ForeignNextLink is the start of a URL that takes the place of the Site's own in nextLinks.
	ForeignNextLink string
	BatchOrder      bool // answers of a batch come in another order

	ResultDelay   time.Duration // a result appears up to so long after the call
	ProgressTime  time.Duration // items are inProgress so long after the device's check-in
	OlderElements bool          // an older result of the same name is beside the newest
	ShuffleItems  bool          // items of a result come in another order each time
	// UnknownMembers is the probability with which a status is one that nobody knows.
	UnknownMembers float64
	NullNames      float64       // names of items are null
	ErrorFirst     float64       // an item shows an error, and is done at the next check-in
	ResultsVanish  time.Duration // results that ended are shown so long; zero: for ever

	PermuteColumns bool          // columns of reports come in another order each time
	OctetStream    bool          // reports come as application/octet-stream
	ReportAge      time.Duration // reports and states of apps are up to so old
	RowsPerUser    bool          // the system account has rows beside the user's

	AuditDelay        time.Duration // audits appear up to so late
	RepeatAudits      float64       // an audit is there twice
	AuditsWithoutUser float64       // an audit does not say who
	NestedMessages    bool          // messages of errors are JSON in a string, as Intune's often are
}

// RetryAfter is how a 429 says when to come back.
type RetryAfter int

// The forms of Retry-After.
const (
	RetrySeconds RetryAfter = iota
	RetryDate
	RetryMissing
	RetryMixed // one of these at random
)

// Faulty returns options with every fault on, each seldom enough that a patient client gets done:
// the same seed and the same requests go wrong in the same way. Devices check in by themselves. The
// foreign nextLink is not among them, since no client gets done with it.
func Faulty(seed uint64) Options {
	return Options{Seed: seed, CheckInAfter: 30 * time.Second, CheckInEvery: 8 * time.Hour,
		Readings: Readings{CompositeIDs: true},
		Faults: Faults{Throttle: 0.03, HiddenLimit: 400, RetryAfter: RetryMixed,
			Unavailable: 0.03, LoseAnswers: 0.1, CutAnswers: 0.03,
			PageSizes: true, ShiftPages: true, BatchOrder: true,
			ResultDelay: 90 * time.Second, ProgressTime: 30 * time.Second, OlderElements: true,
			ShuffleItems: true, UnknownMembers: 0.05, NullNames: 0.2, ErrorFirst: 0.2,
			ResultsVanish:  7 * 24 * time.Hour,
			PermuteColumns: true, OctetStream: true, ReportAge: 2 * time.Hour, RowsPerUser: true,
			AuditDelay: 5 * time.Minute, RepeatAudits: 0.2, AuditsWithoutUser: 0.2,
			NestedMessages: true}}
}

// Trouble is one failure that a test asks for: the next requests that fit are answered so.
type Trouble struct {
	Tenant string // its id; empty: any
	Method string // empty: any
	Path   string // a part of the path, such as "/changeAssignments"; empty: any
	Skip   int    // so many are left alone first
	Times  int    // so many are answered so; 0: one
	Status int    // what is answered; 0: the connection is cut
	// RetryAfter is the header of that name; empty: there is none.
	RetryAfter  string
	AfterEffect bool // the request is served first, and only its answer is lost
}

// Ask puts a trouble into the queue. Of several that fit, the oldest is used up first.
func (s *Site) Ask(t Trouble) {
	s.enter()
	defer s.mu.Unlock()
	t.Times = max(t.Times, 1)
	s.troubles = append(s.troubles, &t)
}
