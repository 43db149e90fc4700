package simulator

import "time"

// Entry is one command that a device took. Status is what it answered: Acknowledged, Error,
// CommandFormatError or NotNow; empty when the command got lost on its way or ended the enrollment.
// Lost tells that the server did not take the answer, or that it could not tell the device so.
type Entry struct {
	Time        time.Time
	CommandUUID string
	RequestType string
	Identifier  string // profile identifier or bundle id, where the command has one
	Status      string
	Lost        bool
}

// journal keeps the last entries in a ring that grows up to limit.
type journal struct {
	limit   int
	entries []Entry
	oldest  int
}

func (j *journal) add(e Entry) {
	if j.limit <= 0 {
		return
	}
	if len(j.entries) < j.limit {
		j.entries = append(j.entries, e)
		return
	}
	j.entries[j.oldest] = e
	j.oldest = (j.oldest + 1) % j.limit
}

// lose marks the newest entry of a command as lost.
func (j *journal) lose(uuid string) {
	for n := range len(j.entries) {
		e := &j.entries[(j.oldest+len(j.entries)-1-n)%len(j.entries)]
		if e.CommandUUID == uuid {
			e.Lost = true
			return
		}
	}
}

func (j *journal) list() []Entry {
	return append(append([]Entry(nil), j.entries[j.oldest:]...), j.entries[:j.oldest]...)
}
