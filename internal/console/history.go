package console

import (
	"net/url"
	"strconv"
	"time"
)

// actions reads a device's actions, the newest first, and where the next page begins.
func (v *visit) actions(device string, top int, token string) ([]actionResult, string, error) {
	options := url.Values{"$top": {strconv.Itoa(top)}}
	if token != "" {
		options.Set("$skiptoken", token)
	}
	var list struct {
		Value []actionResult
		Next  string `json:"@odata.nextLink"`
	}
	err := v.get(ownDevicePath(device)+"/actions", options, &list)
	return list.Value, skipToken(list.Next), err
}

// formerAction is an action in a list.
type formerAction struct {
	Number      int64
	State       mark
	Started     moment
	InitiatedBy string
	Summary     string // what became of its payloads
}

func (v *visit) formerAction(a *actionResult) formerAction {
	return formerAction{Number: a.Number, State: actionState(a.State), Started: v.moment(a.Started),
		InitiatedBy: a.InitiatedBy,
		Summary:     tally(a.results())}
}

// tally counts what became of payloads.
func tally(list []payloadResult) string {
	counts := make(map[mark]int)
	for i := range list {
		counts[statuses[list[i].status()]]++
	}
	text := ""
	for _, m := range []struct {
		mark mark
		word string
	}{{removed, "removed"}, {restored, "restored"}, {failed, "in error"},
		{inProgress, "in progress"}} {
		if n := counts[m.mark]; n > 0 {
			if text != "" {
				text += ", "
			}
			text += strconv.Itoa(n) + " " + m.word
		}
	}
	if text == "" {
		return "nothing to do"
	}
	return text
}

const actionsPerPage = 10

// historyPage is what the history of a device shows.
type historyPage struct {
	ID, Name string
	Actions  []pastAction
	Enrolled []pastEnrollment // the newest first; none on other pages than the first
	Next     string           // address of the next page; empty: there is none
	First    bool             // this is the first page
}

// pastAction is an action with what became of each payload, step by step.
type pastAction struct {
	formerAction
	Took string // how long; empty: it has not ended
	Rows []pastRow
}

type pastRow struct {
	monitorRow
	Timeline *timeline // nil: the steps are not kept any more
}

func (p historyPage) stream() string {
	if !p.First {
		return ""
	}
	return "/console/devices/" + url.PathEscape(p.ID) + "/events"
}

// pastEnrollment is a device's coming or going.
type pastEnrollment struct {
	ID   int64
	At   moment
	What string
}

var enrollmentEvents = map[string]string{"deviceEnrolled": "Enrolled",
	"deviceReenrolled": "Enrolled anew: started clean, with a new identity",
	"deviceLeft":       "Left management"}

// enrollments reads when a device enrolled and left.
func (v *visit) enrollments(device string) (past []pastEnrollment, err error) {
	var list struct {
		Value []struct {
			ID   int64     `json:"id"`
			Type string    `json:"type"`
			At   time.Time `json:"dateTime"`
		}
	}
	if err := v.get(ownDevicePath(device)+"/enrollments", nil, &list); err != nil {
		return nil, err
	}
	for _, e := range list.Value {
		past = append(past, pastEnrollment{e.ID, v.moment(e.At), enrollmentEvents[e.Type]})
	}
	return past, nil
}

// history shows all actions of a device.
func (v *visit) history() error {
	d, err := v.managedDevice("id,deviceName")
	if err != nil {
		return err
	}
	token := v.r.URL.Query().Get("page")
	list, next, err := v.actions(d.ID, actionsPerPage, token)
	if err != nil {
		return err
	}
	p := historyPage{ID: d.ID, Name: d.title(), First: token == ""}
	if next != "" {
		p.Next = "?" + url.Values{"page": {next}}.Encode()
	}
	if p.First {
		if p.Enrolled, err = v.enrollments(d.ID); err != nil {
			return err
		}
	}
	for i := range list {
		past, err := v.pastAction(d.ID, &list[i])
		if err != nil {
			return err
		}
		p.Actions = append(p.Actions, past)
	}
	return v.render("history", "History of "+p.Name, p)
}

func (v *visit) pastAction(device string, a *actionResult) (pastAction, error) {
	past := pastAction{formerAction: v.formerAction(a)}
	if a.ended() {
		past.Took = short(a.Updated.Sub(a.Started))
	}
	events, err := v.actionEvents(device, a.Number)
	if err != nil {
		return past, err
	}
	list := a.results()
	for i := range list {
		past.Rows = append(past.Rows, pastRow{v.monitorRow(&list[i], a.Started, false),
			newTimeline(list[i].id(), events)})
	}
	return past, nil
}
