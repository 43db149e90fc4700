package action

// An app's configuration can only be set once the app is on the device, and goes with it. The two
// know each other by their identifier.

// awaitsApp reports whether p configures an app that is on its way to the device.
func (d *Device) awaitsApp(p *Payload) bool {
	if p.Type != AppConfiguration || p.Work.Kind != Install {
		return false
	}
	for _, app := range d.Payloads {
		if app.Type == Application && app.Identifier == p.Identifier && app.Work.underWay() &&
			app.Work.Kind == Install {
			return true
		}
	}
	return false
}

// appArrived sets the configuration of an app that was just seen on the device to work again: what
// it had been configured with may have gone with it.
func (d *Device) appArrived(env Env, app *Payload) {
	if app.Type != Application {
		return
	}
	for _, p := range d.Payloads {
		if p.Type != AppConfiguration || p.Identifier != app.Identifier || p.want() != Install {
			continue
		}
		if p.Work.Phase == Stuck {
			d.enqueue(env, p)
		} else if !env.byDocument {
			d.doubtPayload(env, p.Spec)
		}
	}
}
