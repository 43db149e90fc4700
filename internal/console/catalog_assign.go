package console

import (
	"net/http"
	"strings"
)

// The types of an assignment's target.
const (
	toAllDevices = "#microsoft.graph.allDevicesAssignmentTarget"
	toGroup      = "#microsoft.graph.groupAssignmentTarget"
	notToGroup   = "#microsoft.graph.exclusionGroupAssignmentTarget"
	toDevice     = "#syncpayloads.deviceAssignmentTarget"
)

// assignment is whom something is assigned to, as the API has it.
type assignment struct {
	Intent string           `json:"intent,omitempty"`
	Target assignmentTarget `json:"target"`
}

type assignmentTarget struct {
	ODataType string `json:"@odata.type"`
	Group     string `json:"groupId,omitempty"`
	Device    string `json:"deviceId,omitempty"`
}

// key tells targets apart, and is what the editor's form sends.
func (t assignmentTarget) key() string {
	switch t.ODataType {
	case toAllDevices:
		return "all"
	case toGroup:
		return t.Group
	case notToGroup:
		return exclusion + t.Group
	default:
		return "device:" + t.Device
	}
}

const exclusion = "not:"

// assignments reads whom something is assigned to.
func (v *visit) assignments(c *collection, id string) ([]assignment, error) {
	var list struct{ Value []assignment }
	err := v.get(c.resource(id)+"/assignments", nil, &list)
	return list.Value, err
}

// assignedTo says in a few words whom something is assigned to.
func assignedTo(list []assignment) string {
	counts := map[string]int{}
	for _, a := range list {
		counts[a.Target.ODataType]++
	}
	var parts []string
	if counts[toAllDevices] > 0 {
		parts = append(parts, "all devices")
	}
	if n := counts[toGroup]; n > 0 {
		parts = append(parts, plural(n, "group"))
	}
	if n := counts[toDevice]; n > 0 {
		parts = append(parts, plural(n, "device"))
	}
	text := strings.Join(parts, ", ")
	if text == "" {
		text = "nobody"
	}
	if n := counts[notToGroup]; n > 0 {
		text += " without " + plural(n, "group")
	}
	return text
}

// setAssignments replaces whom something is assigned to.
func (v *visit) setAssignments(c *collection, id string, list []assignment) error {
	return v.post(c.resource(id)+"/assign", nil, map[string]any{c.of.Assignments: list}, nil)
}

// assignItem takes the editor's form.
func (v *visit) assignItem() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	id := v.r.PathValue("id")
	current, err := v.assignments(c, id)
	if err != nil {
		return err
	}
	list := c.chosen(v.r.PostForm)
	if v.r.PostForm.Get("seen") != fingerprint(current) {
		return v.assignRefused(c, list, http.StatusConflict,
			"Somebody else changed the assignments while you did, so nothing was saved. "+
				"Your choice is below; it replaces theirs, which is "+assignedTo(current)+", if you save it again.")
	}
	if err := v.setAssignments(c, id, list); err != nil {
		refused, ok := near(err)
		if !ok {
			return err
		}
		return v.assignRefused(c, list, refused.Status, refused.Message)
	}
	v.redirect(c.item(id) + "?notice=assigned#assignments")
	return nil
}

// assignRefused shows the item with the editor as it was sent.
func (v *visit) assignRefused(c *collection, list []assignment, status int, message string) error {
	return v.showItem(c, v.r.PathValue("id"),
		itemAnswer{status: status, chosen: list, assignMessage: message})
}
