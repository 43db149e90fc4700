package simulator

import (
	"fmt"
	"maps"
	"time"

	"google.golang.org/api/androidmanagement/v1"
)

// operation is a command on its way.
type operation struct {
	name    string
	command message
	until   time.Time
	done    bool
	failure *androidmanagement.Status
}

// commandLasts is how long a command waits for its device, unless it says another time.
const commandLasts = 10 * time.Minute

// maxOperations bounds the commands that a device remembers.
const maxOperations = 100

// issueCommand: AMAPI, enterprises.devices.issueCommand.
func (s *Service) issueCommand(c *call) (any, *failure) {
	d, refusal := s.deviceOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readMessage[androidmanagement.Command](c, "command")
	if refusal != nil {
		return nil, refusal
	}
	asked := convert[androidmanagement.Command](body)
	if asked.Type == "" {
		return nil, badRequest("command.type", "Invalid value at 'command.type': it must be set.")
	}
	lasts := commandLasts
	if asked.Duration != "" {
		lasts, _ = readDuration(asked.Duration)
	}
	if len(d.operations) >= maxOperations {
		return nil, fail(429, "There are too many commands for this device.")
	}
	s.counter++
	body["createTime"] = stamp(c.now)
	made := &operation{name: fmt.Sprintf("%s/operations/%d", d.name, s.counter), command: body,
		until: c.now.Add(lasts)}
	if d.operations == nil {
		d.operations = make(map[string]*operation)
	}
	d.operations[made.name] = made
	d.pending = append(d.pending, made)
	s.actLater(d)
	return made.answer(), nil
}

func (s *Service) getOperation(c *call) (any, *failure) {
	d, refusal := s.deviceOf(c)
	if refusal != nil {
		return nil, refusal
	}
	if d.operations[c.name] == nil {
		return nil, notFound(c.name)
	}
	return d.operations[c.name].answer(), nil
}

func (o *operation) answer() any {
	const kind = "type.googleapis.com/google.android.devicemanagement.v1.Command"
	metadata := maps.Clone(o.command)
	metadata["@type"] = kind
	m := message{"name": o.name, "metadata": metadata}
	if o.done {
		m["done"] = true
	}
	if o.failure != nil {
		m["error"] = o.failure
	} else if o.done {
		m["response"] = metadata
	}
	return m
}

// obey does the commands that wait for a device, and takes its state; mu is held.
func (s *Service) obey(d *Device, now time.Time) {
	d.active = d.state
	waiting := d.pending
	d.pending = nil
	for _, o := range waiting {
		o.done = true
		if now.After(o.until) {
			o.failure = &androidmanagement.Status{Code: 4, Message: "The command expired."}
		}
		e := d.enterprise
		s.notify(e, "COMMAND", encode(o.answer()), now)
		if o.failure != nil {
			continue
		}
		switch o.command["type"] {
		case "START_LOST_MODE":
			d.lost = true
		case "STOP_LOST_MODE":
			d.lost = false
		case "WIPE":
			d.wiped = true
			s.leave(e, d, now)
			return
		case "RELINQUISH_OWNERSHIP":
			s.leave(e, d, now)
			return
		}
	}
}
