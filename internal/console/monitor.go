package console

import (
	"slices"
	"time"
)

// monitor is the live result of the latest action on a device, with the columns of the reference
// system's monitor page (spec section 3).
type monitor struct {
	Number      int64
	State       mark
	InitiatedBy string
	Started     moment
	Ended       bool
	Updated     moment // when the state last changed
	Rows        []monitorRow
	Done, Total int // payloads whose part has ended, and all
	Off         int // how many are held off the device now
}

type monitorRow struct {
	ID, Name, Type, Action string
	Started                moment
	Status                 mark
	At                     moment // of the status
	Detail                 string
	Explanation            *explanation // of an error
	Restorable             bool         // it is held off the device now
}

// Say is what is read aloud when the row changes.
func (r monitorRow) Say() string {
	if r.Status == inProgress && r.Detail != "" {
		return r.Name + ": " + r.Detail
	}
	return r.Name + ": " + r.Status.Text
}

// Say is what is read aloud when the action's state changes.
func (m *monitor) Say() string { return "Action: " + m.State.Text }

func (v *visit) monitor(device string, a *actionResult, payloads []devicePayload) *monitor {
	m := &monitor{Number: a.Number, State: actionState(a.State), InitiatedBy: a.InitiatedBy,
		Started: v.moment(a.Started), Ended: a.ended(),
		Updated: v.moment(a.Updated)}
	for _, p := range payloads {
		if p.Removed {
			m.Off++
		}
	}
	list := a.results()
	m.Total = len(list)
	for i := range list {
		if list[i].ended() {
			m.Done++
		}
		off := slices.ContainsFunc(payloads,
			func(p devicePayload) bool { return p.ID == list[i].id() && p.Removed })
		m.Rows = append(m.Rows, v.monitorRow(&list[i], a.Started, off))
	}
	return m
}

func (v *visit) monitorRow(p *payloadResult, started time.Time, off bool) monitorRow {
	row := monitorRow{ID: p.id(), Name: p.name(), Type: p.kind(), Action: intents[p.intent()],
		Started: v.moment(started),
		Status:  statuses[p.status()], At: v.moment(p.LastModified), Detail: p.detail(),
		Restorable: off}
	if p.ErrorCode != 0 || row.Status == failed {
		row.Explanation = explain(p.ErrorCode, p.detail(), words{p.Meaning, p.Advice})
	} else if row.Status == inProgress && row.Detail == "" {
		row.Detail = "waiting for the device"
	}
	return row
}
