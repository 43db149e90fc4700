package simulator

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Connect makes one connection as after a push: it reports Idle, executes what the server sends
// until that sends nothing more, and returns. Connections of one device run one after the other.
// Faults that end the connection early give ErrLost; the device then connects again by itself after
// Options.RetryAfter, if its fleet runs.
func (d *Device) Connect(ctx context.Context) error {
	d.session.Lock()
	defer d.session.Unlock()
	d.fleet.stats.connections.Add(1)
	err := d.converse(ctx)
	switch {
	case errors.Is(err, errUnenrolledByServer):
		return errors.Join(err, d.unenroll(ctx, false))
	case errors.Is(err, ErrNotEnrolled):
		return err
	case errors.Is(err, ErrOffline):
		d.mu.Lock()
		d.owesConnection = true
		d.mu.Unlock()
		return err
	case err != nil:
		d.fleet.stats.failures.Add(1)
		d.connectLater(d.fleet.options.RetryAfter)
	}
	return err
}

// converse is the connection itself.
func (d *Device) converse(ctx context.Context) error {
	e, err := d.reachable()
	if err != nil {
		return err
	}
	client := d.fleet.mdmClient(d, e)
	defer client.done()
	facts := d.Facts()
	report, answered := (&answer{status: idle}).message(&facts, ""), ""
	if cmd := d.due(e); cmd != nil {
		reply, _ := d.take(cmd)
		report, answered = reply.message(&facts, cmd.uuid), cmd.uuid
	}
	for {
		raw, err := d.report(ctx, client, report)
		if err != nil {
			d.lost(answered)
		}
		if err != nil || len(raw) == 0 {
			return err
		}
		if err := d.stillReachable(e); err != nil {
			return err
		}
		cmd, err := d.decodeCommand(ctx, raw)
		if err != nil {
			return err
		}
		reply, effect := d.take(cmd)
		if effect == AnswerLate {
			d.keep(cmd, e)
		}
		if reply.unenroll {
			return d.unenroll(ctx, true)
		}
		switch effect {
		case LoseCommand, LoseAnswer, AnswerLate:
			return fmt.Errorf("%s %s: %w", cmd.requestType, cmd.uuid, ErrLost)
		}
		report, answered = reply.message(&facts, cmd.uuid), cmd.uuid
		// the response to the first sending, with the next command in it, is lost
		if effect == RepeatAnswer {
			if _, err := d.report(ctx, client, report); err != nil {
				d.lost(answered)
				return err
			}
		}
	}
}

// report sends a status, and tells the observer.
func (d *Device) report(ctx context.Context, client *mdmClient,
	message map[string]any) ([]byte, error) {
	observer := d.fleet.options.Observer
	if observer == nil {
		return client.report(ctx, message)
	}
	if message["Status"] != idle {
		observer.Reporting(d)
	}
	began := time.Now()
	command, err := client.report(ctx, message)
	if err == nil {
		observer.Answered(d, Exchange{Idle: message["Status"] == idle, Last: len(command) == 0,
			Took: time.Since(began)})
	}
	return command, err
}

// reachable returns the enrollment under which the device can talk to its server.
func (d *Device) reachable() (*enrollment, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.enrollment == nil {
		return nil, ErrNotEnrolled
	}
	if d.offline {
		return nil, ErrOffline
	}
	return d.enrollment, nil
}

// stillReachable ends a connection during which the device was wiped or lost its network.
func (d *Device) stillReachable(e *enrollment) error {
	now, err := d.reachable()
	if err == nil && now != e {
		return ErrNotEnrolled
	}
	return err
}

// take executes a command on the device's stores, as far as its fate lets it, and writes the
// journal.
func (d *Device) take(cmd *command) (answer, Effect) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fleet.stats.commands.Add(1)
	effect, chain := Effect(0), []ErrorLink(nil)
	if !d.late.answers(cmd) {
		effect, chain = d.fate(cmd)
	}
	var reply answer
	switch effect {
	case LoseCommand, AnswerLate:
	case AnswerNotNow:
		reply = answer{status: notNow}
		d.becomeFreeLater()
	case AnswerError:
		if len(chain) == 0 {
			chain = timedOut
		}
		reply = fail(chain...)
	default:
		reply = cmd.execute(d, effect)
	}
	d.journal.add(Entry{Time: d.fleet.clock.Now(), CommandUUID: cmd.uuid,
		RequestType: cmd.requestType,
		Identifier:  cmd.identifier, Status: reply.status,
		Lost: effect == LoseCommand || effect == LoseAnswer || effect == AnswerLate})
	return reply, effect
}

// lost notes that the server did not take the answer to a command.
func (d *Device) lost(uuid string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.journal.lose(uuid)
}

// becomeFreeLater notes that the device has to ask again for what it put off; mu is held.
func (d *Device) becomeFreeLater() {
	if d.locked {
		d.owesConnection = true
		return
	}
	d.connectLater(d.faults.Busy)
}
