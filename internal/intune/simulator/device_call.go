package simulator

import (
	"encoding/json"
	"errors"
	"strings"
)

// comanaged tells whether a call is about the devices that Configuration Manager has, too.
func (c *call) comanaged() bool { return strings.Contains(c.route.path, "/comanagedDevices") }

// device finds the device of a call. Devices that a person's scope tags hide are not found.
func (c *call) device(id string) (*Device, *refusal) {
	d := c.tenant.byID[strings.ToLower(id)]
	if d == nil || !c.caller.user.sees(d) || c.comanaged() && !d.comanaged {
		return nil, notFound("Resource not found.")
	}
	return d, nil
}

// selected are the names of $select.
func (c *call) selected() []string {
	var names []string
	for _, name := range strings.Split(c.query.Get("$select"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func (c *call) selectedProperties() ([]property, *refusal) {
	names := c.selected()
	if len(names) == 0 {
		return properties, nil
	}
	var list []property
	for _, name := range names {
		p, ok := propertyOf[name]
		if !ok {
			return nil, noProperty(name, "managedDevice")
		}
		list = append(list, p)
	}
	return list, nil
}

func noProperty(name, of string) *refusal {
	return badRequest("Parsing OData Select and Expand failed: Could not find a property named "+
		"'%s' on type 'microsoft.graph.%s'.", name, of)
}

// deviceFilter tells what $filter of managedDevices heeds. Documented are the two times with lt and
// gt. With anything else the whole filter has no effect, and all devices come.
func deviceFilter(c *call, field, operator string) bool {
	inUse := c.site.readings.FiltersInUse
	switch field {
	case "lastSyncDateTime", "enrolledDateTime":
		return operator == "lt" || operator == "gt" ||
			inUse && (operator == "le" || operator == "ge")
	case "operatingSystem", "managementAgent", "managedDeviceOwnerType", "complianceState":
		return inUse && operator == "eq"
	}
	return false
}

func auditFilter(_ *call, field, _ string) bool {
	switch field {
	case "action", "requestDateTime", "managedDeviceId", "actionState":
		return true
	}
	return false
}

// fields are what $filter may compare.
func (d *Device) fields() fieldLookup {
	return func(name string) (any, bool) {
		switch name {
		case "lastSyncDateTime":
			return d.synced, true
		case "enrolledDateTime":
			return d.enrolled, true
		case "operatingSystem":
			return d.kind.system, true
		case "managementAgent":
			return d.agent, true
		case "managedDeviceOwnerType":
			return d.owner(), true
		case "complianceState":
			return "compliant", true
		}
		return nil, false
	}
}

func listDevices(c *call) (answer, *refusal) {
	selected, refused := c.selectedProperties()
	if refused != nil {
		return answer{}, refused
	}
	filter, refused := c.filter(deviceFilter)
	if refused != nil {
		return answer{}, refused
	}
	devices := c.tenant.devices
	fits := func(i int) bool {
		d := devices[i]
		return c.caller.user.sees(d) && (d.comanaged || !c.comanaged()) &&
			(filter == nil || filter.matches(d.fields()))
	}
	return c.list(c.route.path, len(devices), fits, func(b []byte, i int) []byte {
		return appendDevice(b, c, devices[i], selected)
	})
}

func oneDevice(c *call) (answer, *refusal) {
	selected, refused := c.selectedProperties()
	if refused != nil {
		return answer{}, refused
	}
	d, refused := c.device(c.keys[0])
	if refused != nil {
		return answer{}, refused
	}
	b := append([]byte(nil), `{"@odata.context":`...)
	b = appendText(b, c.in.base+"/beta/$metadata#"+strings.TrimSuffix(c.route.path, "/{}")+
		"/$entity")
	b = append(b, ',')
	return jsonAnswer(append(appendMembers(b, c, d, selected), '}')), nil
}

// serveAction serves changeAssignments.
func serveAction(c *call) (answer, *refusal) {
	d, refused := c.actable()
	if refused != nil {
		return answer{}, refused
	}
	var body struct {
		Items *[]struct {
			Type string `json:"@odata.type"`
			reference
		} `json:"deviceAssignmentItems"`
	}
	if err := readObject(c.in.body, &body); err != nil || body.Items == nil {
		return answer{}, badRequest("The body must be an object with deviceAssignmentItems.")
	}
	named := []reference{}
	for _, one := range *body.Items {
		switch one.reference.Type {
		case Application, DeviceConfiguration, ConfigurationPolicy, AppConfiguration:
		default:
			return answer{}, badRequest("Invalid itemType '%s'.", one.reference.Type)
		}
		named = append(named, one.reference)
	}
	if refused := d.post(c.now, c.caller.actor(), named); refused != nil {
		return answer{}, refused
	}
	return noContent(), nil
}

// actable is the device of a call that asks something of it.
func (c *call) actable() (*Device, *refusal) {
	d, refused := c.device(c.keys[0])
	if refused == nil && c.caller.user != nil {
		refused = c.caller.user.may(d)
	}
	return d, refused
}

func serveSync(c *call) (answer, *refusal) {
	d, refused := c.actable()
	if refused != nil {
		return answer{}, refused
	}
	if len(c.in.body) > 0 && string(c.in.body) != "{}" {
		return answer{}, badRequest("The action syncDevice has no body.")
	}
	d.sync(c.now, c.caller.actor())
	return noContent(), nil
}

// readObject reads a body strictly: nothing that the reference does not name.
func readObject(body []byte, into any) error {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("there is more than one value")
	}
	return nil
}
