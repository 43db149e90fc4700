package apple

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/micromdm/nanomdm/mdm"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// inventoryNames mark the CommandUUID of an inventory with what was asked for. An answer does not say what it answers,
// and one that lacks its list must not be taken for an empty list.
var inventoryNames = map[action.Class]string{
	action.Facts: "facts", action.Profiles: "profiles", action.Apps: "apps", action.AppConfigurations: "configurations",
}

// commandUUID is the task's id, followed by a dot and the kind of inventory if it is one. Apple requires no more of
// it than that it is unique.
func commandUUID(t *action.Task) string {
	if t.Kind == action.TakeInventory {
		return string(t.ID) + "." + inventoryNames[t.Class]
	}
	return string(t.ID)
}

// parseCommandUUID is the reverse of commandUUID.
func parseCommandUUID(s string) (id action.TaskID, class action.Class, inventory bool) {
	id0, name, _ := strings.Cut(s, ".")
	for c, n := range inventoryNames {
		if n == name {
			return action.TaskID(id0), c, true
		}
	}
	return action.TaskID(s), 0, false
}

// takeReport tells the engine what a device says and hands the device its next command, nil if there is none.
func (c *Channel) takeReport(r *mdm.Request, m *report) (*mdm.Command, error) {
	ctx := r.Context()
	s, e, err := c.known(r, &m.Enrollment)
	if err != nil || s.userChannel {
		return nil, err
	}
	var task *engine.Task
	if m.Status == "Idle" {
		task, err = c.Engine.Idle(ctx, e.Device)
	} else {
		var decoded engine.Report
		if decoded, err = decode(m); err != nil {
			return nil, err
		}
		if err := c.notePlatform(ctx, s, e, decoded.Facts); err != nil {
			return nil, err
		}
		task, err = c.Engine.Answer(ctx, e.Device, decoded)
	}
	if err != nil {
		return nil, err
	}
	return c.send(ctx, e, task)
}

// send turns the task into a command. Tasks that need no device are answered here, and the next one is taken.
func (c *Channel) send(ctx context.Context, e *Enrollment, task *engine.Task) (*mdm.Command, error) {
	for task != nil {
		raw, err := encode(task, e.Platform)
		if err == nil {
			return &mdm.Command{CommandUUID: commandUUID(&task.Task), Raw: raw}, nil
		}
		var known *settled
		if !errors.As(err, &known) {
			return nil, fmt.Errorf("task %s of device %s: %w", task.ID, e.Device, err)
		}
		answered := task.ID
		if task, err = c.Engine.Answer(ctx, e.Device, engine.Report{Task: answered, Outcome: known.outcome}); err != nil {
			return nil, err
		}
		if task != nil && task.ID == answered {
			return nil, fmt.Errorf("task %s of device %s was answered and is handed out again", answered, e.Device)
		}
	}
	return nil, nil
}

// notePlatform corrects the platform when the device tells another than its enrollment was filed under.
func (c *Channel) notePlatform(ctx context.Context, s sender, e *Enrollment, f *fleet.Facts) error {
	if f == nil || f.Platform == "" || f.Platform == e.Platform {
		return nil
	}
	e.Platform = f.Platform
	return c.updatePinned(ctx, s, func(stored *Enrollment) error {
		stored.Platform = f.Platform
		return nil
	})
}
