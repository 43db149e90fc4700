// Package madeup is a platform that does not exist, kettles, with a policy, an app and a channel
// that speaks JSON. It is here to prove that a platform is one folder and one line where a server
// is put together: nothing outside of this folder knows of it. Its test takes it through everything
// that a payload goes through.
//
// Who writes a platform may read it as the smallest one there can be.
package madeup

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// KettleOS is what kettles run.
const KettleOS fleet.Platform = "kettleOS"

// Platform is that of kettles.
type Platform struct{}

var (
	_ platform.Platform  = Platform{}
	_ platform.Describer = Platform{}
)

// onTheStove is how kettles enroll, as Graph may call it.
const onTheStove = "deviceEnrollmentManager"

// Describe implements platform.Describer. Graph has no words for kettles, so they are called what
// else is not here.
func (Platform) Describe() platform.Description {
	return platform.Description{
		Name: "Kettles",
		Kinds: []fleet.Kind{{Platform: KettleOS, PolicyPlatform: "all",
			Types: []fleet.ModelType{{Model: "Camping", Member: "unix"}, {Member: "linux"}},
			Agent: "jamf", Enrollments: []fleet.Enrollment{
				{Member: onTheStove, Title: "Put on the stove"}}}},
		ByLink: &platform.LinkEnrollment{Device: "a kettle", Guides: []platform.Guide{
			{Models: "Kettle", Steps: []string{"Turn the knob to *Simmer & pour*."}}}},
	}
}

// Devices implements platform.Platform.
func (Platform) Devices() []fleet.Platform { return []fleet.Platform{KettleOS} }

// Explain implements platform.Platform.
func (Platform) Explain(code action.Code, _ string) (meaning, advice string) {
	if code == (action.Code{Number: teapot, Source: action.ByDevice}) {
		return "This kettle is a teapot.", "Give it tea, and the policy to a kettle."
	}
	return "", ""
}

// teapot is the code of a kettle that is none.
const teapot = 418

// Open implements platform.Platform.
func (Platform) Open(_ context.Context, site platform.Site) (platform.Channel, error) {
	return &Channel{engine: site.Engine, ids: make(map[string]fleet.DeviceID)}, nil
}

// Channel speaks with kettles. They connect when they like, so that nothing wakes them.
type Channel struct {
	engine *engine.Engine

	mu  sync.Mutex
	ids map[string]fleet.DeviceID // by serial number
}

// Wake implements engine.Channel.
func (*Channel) Wake(context.Context, fleet.DeviceID) error { return nil }

// Paths implements platform.Channel.
func (*Channel) Paths() []string { return []string{"/kettles/"} }

// Shown implements platform.Channel: a kettle's messages are short, and tell all that there is.
func (*Channel) Shown(*http.Request) platform.Shows { return platform.ShowsSomething }

// Handler implements platform.Channel.
func (c *Channel) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /kettles/{serial}", c.serve)
	return mux
}

// Message is what a kettle says: nothing, or an answer to a task.
type Message struct {
	Task    action.TaskID
	Refused int64    // its code; 0: it did as it was told
	Why     string   // of Refused
	Holds   []string // identifiers; of an inventory
}

// Order is what a kettle is told to do.
type Order struct {
	Task       action.TaskID
	Do         string // take, drop or list
	Identifier string // of take and drop
	Content    json.RawMessage
	Apps       bool // of list: its apps, not its policies
}

const maxMessage = 64 << 10

func (c *Channel) serve(w http.ResponseWriter, r *http.Request) {
	var m Message
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxMessage)).Decode(&m); err != nil {
		http.Error(w, "no message of a kettle", http.StatusBadRequest)
		return
	}
	task, err := c.next(r.Context(), r.PathValue("serial"), &m)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	case task == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		_ = json.NewEncoder(w).Encode(order(task)) // an error means that the kettle has gone
	}
}

// next is a kettle's next task. One that is not known yet is enrolled.
func (c *Channel) next(ctx context.Context, serial string, m *Message) (*engine.Task, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, known := c.ids[serial]
	if !known {
		var err error
		id, err = c.engine.Enroll(ctx, fleet.Device{Name: "Kettle " + serial, Platform: KettleOS,
			SerialNumber: serial, UDID: "kettle-" + serial, EnrollmentType: onTheStove}, "")
		if err != nil {
			return nil, err
		}
		c.ids[serial] = id
	}
	if m.Task == "" {
		return c.engine.Idle(ctx, id)
	}
	return c.engine.Answer(ctx, id, engine.Report{Task: m.Task, Outcome: m.outcome()})
}

func (m *Message) outcome() action.Outcome {
	if m.Refused != 0 {
		return action.Outcome{Verdict: action.Permanent, Code: m.Refused, Source: action.ByDevice,
			Detail: m.Why}
	}
	o := action.Outcome{Verdict: action.Accepted}
	for _, id := range m.Holds {
		o.Sightings = append(o.Sightings, action.Sighting{Identifier: id, Present: true})
	}
	return o
}

func order(t *engine.Task) Order {
	o := Order{Task: t.ID, Identifier: t.Payload.Identifier}
	switch t.Kind {
	case action.TakeInventory:
		o.Do, o.Apps = "list", t.Class == action.Apps
	case action.LeaveManagement:
		o.Do = "leave"
	case action.Install:
		o.Do, o.Content = "take", t.Content.Content
	default:
		o.Do = "drop"
	}
	return o
}
