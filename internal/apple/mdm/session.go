package mdm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/micromdm/nanomdm/mdm"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// inventoryNames mark the CommandUUID of an inventory with what was asked for. An answer does not
// say what it answers, and one that lacks its list must not be taken for an empty list.
var inventoryNames = map[string]asked{
	"facts": {class: action.Facts}, "profiles": {class: action.Profiles},
	"configurations": {class: action.AppConfigurations},
	"apps":           {class: action.Apps}, "managed": {class: action.Apps, first: true},
}

// asked is which inventory a command asks for.
type asked struct {
	class action.Class
	first bool // of two lists
}

// whatIsAsked is the inventory that a task stands for on a platform. A Mac lists the apps that are
// installed, whoever installed them, and apart from that those that it manages.
func whatIsAsked(t *action.Task, platform fleet.Platform) asked {
	return asked{t.Class, t.Class == action.Apps && platform == fleet.MacOS && !t.Second}
}

// commandUUID is the task's id, followed by a dot and the kind of inventory if it is one. Apple
// requires no more of it than that it is unique.
func commandUUID(t *action.Task, platform fleet.Platform) string {
	if t.Kind == action.TakeInventory {
		for name, a := range inventoryNames {
			if a == whatIsAsked(t, platform) {
				return string(t.ID) + "." + name
			}
		}
	}
	return string(t.ID)
}

// parseCommandUUID is the reverse of commandUUID.
func parseCommandUUID(s string) (id action.TaskID, inventory asked, isInventory bool) {
	before, name, _ := strings.Cut(s, ".")
	if inventory, isInventory = inventoryNames[name]; isInventory {
		return action.TaskID(before), inventory, true
	}
	return action.TaskID(s), asked{}, false
}

// takeReport tells the engine what a device says and returns the device's next command, empty if
// there is none.
func (c *Channel) takeReport(r *mdm.Request, body []byte) ([]byte, error) {
	return c.takeRead(r, readReport(body))
}

func (c *Channel) takeRead(r *mdm.Request, m *report) ([]byte, error) {
	ctx := r.Context()
	if err := c.nameSender(r, &m.Enrollment); err != nil {
		return nil, err
	}
	s, e, err := c.known(r, &m.Enrollment)
	if err != nil || s.userChannel {
		return nil, err
	}
	var task *engine.Task
	if m.Status == "Idle" {
		task, err = c.engine.Idle(ctx, e.Device)
	} else {
		task, err = c.takeAnswer(ctx, s, e, m)
	}
	if err != nil {
		return nil, err
	}
	return c.send(ctx, e, task)
}

// takeAnswer tells the engine of the answer to a command. One of which neither the command nor the
// status can be read is an answer all the same if the device was handed a command on this
// connection.
func (c *Channel) takeAnswer(ctx context.Context, s sender, e *Enrollment,
	m *report) (*engine.Task, error) {
	decoded := decode(m)
	if m.damage != "" || m.Status == "" || m.CommandUUID == "" {
		c.log.Info("device answer read in part", "device", e.Device, "task", decoded.Task, "status",
			m.Status, "damage", m.damage+m.unread)
	}
	if err := c.notePlatform(ctx, s, e, decoded.Facts); err != nil {
		return nil, err
	}
	task, err := c.engine.Answer(ctx, e.Device, decoded)
	if errors.Is(err, engine.ErrNothingAsked) {
		return nil, refuse(http.StatusBadRequest,
			"not an answer: device %s was handed no command, and %s", e.Device,
			withCause("the message names none", m.damage+m.unread))
	}
	return task, err
}

// send turns the task into a command. Tasks that need no device are answered here, and the next one
// is taken.
func (c *Channel) send(ctx context.Context, e *Enrollment, task *engine.Task) ([]byte, error) {
	for task != nil {
		raw, err := encode(task, e.Platform)
		if err == nil {
			return raw, nil
		}
		var known *settled
		if !errors.As(err, &known) {
			return nil, fmt.Errorf("task %s of device %s: %w", task.ID, e.Device, err)
		}
		answered := task.ID
		if task, err = c.engine.Answer(ctx, e.Device,
			engine.Report{Task: answered, Outcome: known.outcome}); err != nil {
			return nil, err
		}
		if task != nil && task.ID == answered {
			return nil, fmt.Errorf("task %s of device %s was answered and is handed out again",
				answered, e.Device)
		}
	}
	return nil, nil
}

// notePlatform corrects the platform when the device tells another than its enrollment was filed
// under.
func (c *Channel) notePlatform(ctx context.Context, s sender, e *Enrollment, f *fleet.Facts) error {
	if f == nil || f.Device.Platform == "" || f.Device.Platform == e.Platform {
		return nil
	}
	e.Platform = f.Device.Platform
	return c.updatePinned(ctx, s, func(stored *Enrollment) error {
		stored.Platform = f.Device.Platform
		return nil
	})
}
