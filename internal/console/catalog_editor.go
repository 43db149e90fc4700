package console

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// editor is the form of the assignments.
type editor struct {
	All     bool
	Picker  groupPicker
	Devices []deviceChoice
	Seen    string // fingerprint of the assignments from which the form was made
	Message string // why it was refused; empty: it was not
}

type deviceChoice struct {
	ID, Name string
	On       bool
}

// Empty reports that nothing is chosen.
func (e *editor) Empty() bool {
	return !e.All && len(e.Devices) == 0 &&
		len(e.Picker.Chosen()) == 0
}

// editor shows assignments. Groups to add to them are offered separately.
func (v *visit) editor(list []assignment) (*editor, error) {
	e := &editor{Seen: fingerprint(list)}
	var groups []groupChoice
	for _, a := range list {
		switch t := a.Target; t.ODataType {
		case toAllDevices:
			e.All = true
		case toDevice:
			e.Devices = append(e.Devices, deviceChoice{t.Device, v.deviceName(t.Device), true})
		default:
			known := slices.ContainsFunc(groups,
				func(g groupChoice) bool { return g.ID == t.Group })
			if !known {
				groups = append(groups, groupChoice{t.Group, t.Group, t.ODataType == toGroup,
					t.ODataType == notToGroup})
			}
		}
	}
	var err error
	e.Picker, err = v.groupPicker(groups)
	e.Picker.Assign = true
	return e, err
}

// fingerprint tells whether assignments changed while somebody had them in a form.
func fingerprint(list []assignment) string {
	keys := make([]string, len(list))
	for i, a := range list {
		keys[i] = a.Target.key()
	}
	slices.Sort(keys)
	sum := sha256.Sum256([]byte(strings.Join(keys, " ")))
	return hex.EncodeToString(sum[:])
}

// deviceName is a device's name, or its id if the visitor sees no more.
func (v *visit) deviceName(id string) string {
	d := managedDevice{ID: id}
	if err := v.get(devicePath(id), url.Values{"$select": {"id,deviceName"}}, &d); err != nil {
		return id
	}
	return d.title()
}

// chosen are the assignments that an editor's form sent.
func (c *collection) chosen(form url.Values) []assignment {
	list := []assignment{}
	add := func(t assignmentTarget) {
		a := assignment{Target: t}
		if c.of.Intent {
			a.Intent = "required"
		}
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	if form.Get("all") != "" {
		add(assignmentTarget{ODataType: toAllDevices})
	}
	for _, value := range form["group"] {
		if id, out := strings.CutPrefix(value, exclusion); out {
			add(assignmentTarget{ODataType: notToGroup, Group: id})
		} else if value != "" {
			add(assignmentTarget{ODataType: toGroup, Group: value})
		}
	}
	for _, id := range form["device"] {
		add(assignmentTarget{ODataType: toDevice, Device: id})
	}
	return list
}
