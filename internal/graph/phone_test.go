package graph_test

import (
	"maps"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// phone is a device that does what it is told, and really has what it says it has.
type phone struct {
	*site
	id   fleet.DeviceID
	has  map[action.Class]map[string]string // revisions by identifier
	fail map[string]action.Outcome          // instead of doing a command on an identifier
}

func (s *site) enroll(d fleet.Device) *phone {
	s.t.Helper()
	id, err := s.engine.Enroll(s.t.Context(), d, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return &phone{site: s, id: id, has: map[action.Class]map[string]string{
		action.Profiles: {}, action.Apps: {}, action.AppConfigurations: {}},
		fail: map[string]action.Outcome{}}
}

func (s *site) enrollPhone() *phone {
	s.t.Helper()
	return s.enroll(fleet.Device{Name: "Anna's iPhone", Platform: fleet.IOS, Manufacturer: "Apple",
		Model:     "iPhone 15",
		OSVersion: "18.3", SerialNumber: "C39XY", UDID: "00008120-000A", Supervised: true})
}

// connect lets the phone work until there is nothing more to do.
func (p *phone) connect() {
	p.t.Helper()
	task, err := p.engine.Idle(p.t.Context(), p.id)
	for err == nil && task != nil {
		task, err = p.engine.Answer(p.t.Context(), p.id,
			engine.Report{Task: task.ID, Outcome: p.do(task)})
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *phone) do(task *engine.Task) action.Outcome {
	if task.Kind == action.TakeInventory {
		var o action.Outcome
		for identifier, revision := range p.has[task.Class] {
			o.Sightings = append(o.Sightings,
				action.Sighting{Identifier: identifier, Revision: revision, Present: true})
		}
		return o
	}
	if o, ok := p.fail[task.Payload.Identifier]; ok {
		return o
	}
	held := p.has[task.Payload.Type.Class()]
	if task.Kind == action.Uninstall {
		delete(held, task.Payload.Identifier)
	} else {
		held[task.Payload.Identifier] = task.Payload.Revision
	}
	return action.Outcome{}
}

func (p *phone) path() string { return devices + "/" + string(p.id) }

// sync posts a syncPayloads of these elements.
func (p *phone) sync(elements ...object) {
	p.t.Helper()
	p.must(http.StatusNoContent, "POST", p.path()+"/syncPayloads",
		object{"deviceActionPayloads": append([]object{}, elements...)})
}

// result is the newest deviceActionResults element of an action name.
func (p *phone) result(name string) object {
	p.t.Helper()
	a := p.must(http.StatusOK, "GET", p.path()+"?$select=deviceActionResults", nil)
	list, _ := a.body["deviceActionResults"].([]any)
	for _, r := range list {
		if at(r, "actionName") == name {
			return maps.Clone(r.(object))
		}
	}
	p.t.Fatalf("no result of %s in %s", name, a)
	return nil
}

func app(id string) object { return object{"payloadId": id, "payloadType": "application"} }
func config(id string) object {
	return object{"payloadId": id,
		"payloadType": "deviceConfiguration"}
}
