package console

import (
	"cmp"
	"strconv"
)

// explanation is an error as an admin needs it. The API says what it means and what to try.
type explanation struct {
	Code    string
	Own     string // what the device, or else the server, said
	Meaning string
	Advice  string
}

// words are what the API says of a failure beside its code; empty: it has no words for it.
type words struct {
	Meaning string `json:"meaning"`
	Advice  string `json:"advice"`
}

// The words for what nobody has words for.
const (
	unknownMeaning = "The device reported a failure that this server has no words for."
	unknownAdvice  = "Read what the device said, and look its words and code up in its maker's documentation. " +
		"Starting the action again tries once more."
)

// explain shows a failure.
func explain(code int64, detail string, told words) *explanation {
	e := &explanation{Own: detail, Meaning: cmp.Or(told.Meaning, unknownMeaning),
		Advice: cmp.Or(told.Advice, unknownAdvice)}
	if code != 0 {
		e.Code = strconv.FormatInt(code, 10)
	}
	return e
}
