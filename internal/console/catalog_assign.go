package console

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
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

// editor is the form of the assignments.
type editor struct {
	All     bool
	Groups  []groupChoice
	Devices []deviceChoice
	Search  string // by which groups are found
	Hidden  int    // groups that are not shown
	Many    bool   // so many groups that they are searched
	Seen    string // fingerprint of the assignments from which the form was made
	Message string // why it was refused; empty: it was not
}

type groupChoice struct {
	ID, Name         string
	Include, Exclude bool
}

type deviceChoice struct {
	ID, Name string
	On       bool
}

// Empty reports that nothing is chosen.
func (e *editor) Empty() bool {
	return !e.All && len(e.Devices) == 0 && !slices.ContainsFunc(e.Groups, func(g groupChoice) bool { return g.Include || g.Exclude })
}

// manyGroups is how many groups an editor shows without a search.
const manyGroups = 100

// editor makes the form for assignments, with the groups whose names fit the search.
func (v *visit) editor(list []assignment, search string) (*editor, error) {
	e := &editor{Search: search, Seen: fingerprint(list)}
	state := map[string]*groupChoice{}
	for _, a := range list {
		switch a.Target.ODataType {
		case toAllDevices:
			e.All = true
		case toDevice:
			e.Devices = append(e.Devices, deviceChoice{a.Target.Device, v.deviceName(a.Target.Device), true})
		default:
			state[a.Target.Group] = &groupChoice{a.Target.Group, a.Target.Group, a.Target.ODataType == toGroup, a.Target.ODataType == notToGroup}
		}
	}
	groups, err := v.groups()
	if err != nil {
		return nil, err
	}
	e.Many = len(groups) > manyGroups
	shown := 0
	for _, g := range groups {
		switch chosen := state[g.ID]; {
		case chosen != nil:
			chosen.Name = g.Name
		case shown < manyGroups && strings.Contains(strings.ToLower(g.Name), strings.ToLower(search)):
			state[g.ID] = &groupChoice{ID: g.ID, Name: g.Name}
			shown++
		default:
			e.Hidden++
		}
	}
	for _, g := range state {
		e.Groups = append(e.Groups, *g)
	}
	slices.SortFunc(e.Groups, func(a, b groupChoice) int { return byName(a.Name, b.Name, a.ID, b.ID) })
	return e, nil
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

// group is a group of devices as the API tells it.
type group struct {
	ID          string    `json:"id"`
	Name        string    `json:"displayName"`
	Description string    `json:"description"`
	Created     time.Time `json:"createdDateTime"`
}

// groups reads all groups by name; none for who may read none.
func (v *visit) groups() ([]group, error) {
	if !v.may(access.ReadGroups) {
		return nil, nil
	}
	return v.allGroups()
}

func (v *visit) allGroups() ([]group, error) {
	all, err := everything[group](v, "/beta/groups", "id,displayName,description,createdDateTime")
	slices.SortFunc(all, func(a, b group) int { return byName(a.Name, b.Name, a.ID, b.ID) })
	return all, err
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
		if c.intent {
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

// setAssignments replaces whom something is assigned to.
func (v *visit) setAssignments(c *collection, id string, list []assignment) error {
	return v.post(c.resource(id)+"/assign", nil, map[string]any{c.assignments: list}, nil)
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
		return v.assignRefused(c, list, http.StatusConflict, "Somebody else changed the assignments while you did, so nothing was saved. "+
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
	return v.showItem(c, v.r.PathValue("id"), itemAnswer{status: status, chosen: list, assignMessage: message})
}
