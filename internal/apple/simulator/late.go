package simulator

// late is a command that the device took, and executes when it connects the second time after: in
// between, the server may have asked for something else.
type late struct {
	command    *command // nil: there is none
	enrollment *enrollment
	passed     bool // a connection
	answered   int  // of such commands
}

// Late tells how many commands the device answered on a later connection than it took them, and
// whether there is one that it still has to.
func (d *Device) Late() (answered int, pending bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.late.answered, d.late.command != nil
}

// keep notes a command for later.
func (d *Device) keep(cmd *command, e *enrollment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.late.command, d.late.enrollment, d.late.passed = cmd, e, false
}

// due is the command that a connection begins with the answer to; nil: none.
func (d *Device) due(e *enrollment) *command {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.late.command == nil:
		return nil
	case d.late.enrollment != e: // who has enrolled anew knows nothing of it
		d.late.command = nil
		return nil
	case !d.late.passed:
		d.late.passed = true
		return nil
	}
	return d.late.command
}

// answers reports whether a command is the late one, which comes to its end now; the server may
// have sent it again.
func (l *late) answers(cmd *command) bool {
	if l.command == nil || l.command.uuid != cmd.uuid {
		return false
	}
	if l.passed && l.command == cmd {
		l.answered++
	}
	l.command = nil
	return true
}
