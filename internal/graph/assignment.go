package graph

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/graph/model"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// target is one type of an assignment's target: whom it addresses, and the property that names
// them.
type target struct {
	odataType string // without '#'
	kind      catalog.TargetKind
	property  string // empty: it names nobody
}

// targets are Graph's deviceAndAppManagementAssignmentTarget types that address devices, and one of
// our own.
var targets = []target{
	{"microsoft.graph.allDevicesAssignmentTarget", catalog.AllDevices, ""},
	{"microsoft.graph.groupAssignmentTarget", catalog.Group, "groupId"},
	{"microsoft.graph.exclusionGroupAssignmentTarget", catalog.ExcludeGroup, "groupId"},
	{"syncpayloads.deviceAssignmentTarget", catalog.OneDevice, "deviceId"},
}

// assign is POST …/{id}/assign: the body's assignments replace those that the payload has.
func (k *payloadKind) assign(c *call) error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	given, err := k.readAssignments(body)
	if err != nil {
		return err
	}
	p, err := k.find(c)
	if err != nil {
		return err
	}
	edit, err := settle(p, given.settings)
	if err != nil {
		return err
	}
	if edit != nil {
		if err := c.needsToo(k.rights.update); err != nil {
			return err
		}
	}
	if err := c.mayChange(access.Change{Payload: p.ID, Targets: lowered(given.list)}); err != nil {
		return k.renamed(err)
	}
	var list []catalog.Assignment
	if edit == nil {
		list, err = c.config.Catalog.Assign(c.req.Context(), p.ID, given.list, c.sameAssignments)
	} else {
		list, err = c.config.Catalog.AssignEdited(c.req.Context(), p.ID, given.list, *edit,
			c.sameAssignments)
	}
	if err != nil {
		return k.renamed(err)
	}
	if !k.of.Echo {
		return c.req.ReplyNoContent()
	}
	return k.replyAssignments(c, p, list)
}

// lowered is a list with its ids as they are stored.
func lowered(list []catalog.Assignment) []catalog.Assignment {
	list = slices.Clone(list)
	for i := range list {
		list[i].Target = lower(list[i].Target)
	}
	return list
}

// renamed gives a refusal of the catalog the name that the list has in this collection's bodies.
func (k *payloadKind) renamed(err error) error {
	var wrong *invalid.Input
	if errors.As(err, &wrong) {
		if rest, ok := strings.CutPrefix(wrong.Property, "assignments"); ok {
			return &invalid.Input{Property: k.of.Assignments + rest, Reason: wrong.Reason}
		}
	}
	return err
}

func (k *payloadKind) listAssignments(c *call) error {
	selected, err := c.selected(newShape(k.of.AssignmentType, nil))
	if err != nil {
		return err
	}
	p, err := k.find(c)
	if err != nil {
		return err
	}
	list, err := c.assignments(p.ID)
	if err != nil {
		return err
	}
	return k.replyAssignments(c, p, list, selected...)
}

// replyAssignments shows assignments, with what is selected of each; nothing: all.
func (k *payloadKind) replyAssignments(c *call, p *catalog.Payload,
	list []catalog.Assignment, selected ...string) error {
	c.req.SetTag(assignmentsTag(list))
	page := odata.Page{Collection: k.path() + "('" + c.req.PathValue("id") + "')/assignments",
		Value: make([]odata.Fields, len(list))}
	for i, a := range list {
		if page.Value[i] = k.assignmentFields(c, p, a); selected != nil {
			page.Value[i] = pickedOf(page.Value[i], selected)
		}
	}
	return c.req.ReplyPage(page)
}

// assignmentFields shows an assignment of a payload.
func (k *payloadKind) assignmentFields(c *call, p *catalog.Payload,
	a catalog.Assignment) odata.Fields {
	t := targets[slices.IndexFunc(targets, func(t target) bool { return t.kind == a.Kind })]
	to := odata.Fields{{"@odata.type", "#" + t.odataType}, {filterID, nil}, {filterType, "none"}}
	if t.property != "" {
		to = append(to, odata.Field{t.property, a.Target})
	}
	f := odata.Fields{{"@odata.type", "#" + odata.GraphNamespace + k.of.AssignmentType},
		{"id", assignmentID(p, a)}}
	if k.hasOfAssignments("source") {
		f = append(f, odata.Field{"source", sourceDirect}, odata.Field{"sourceId", p.ID})
	}
	switch {
	case k.of.Intent:
		f = append(f, odata.Field{"intent", requiredIntent},
			odata.Field{"settings", settingsFields(c, p)})
	case k.hasOfAssignments("intent"):
		f = append(f, odata.Field{"intent", applyIntent})
	}
	f = append(f, odata.Field{"target", c.ofVersion(targetBase, to)})
	return c.ofVersion(k.assignment(), f)
}

// targetBase is the type from which those of targets derive.
const targetBase = "deviceAndAppManagementAssignmentTarget"

// ofVersion is an object of a type without what only beta has, if v1.0 is called.
func (c *call) ofVersion(of odata.TypeName, f odata.Fields) odata.Fields {
	if c.req.Version() != odata.StablePath {
		return f
	}
	return slices.DeleteFunc(f, func(one odata.Field) bool {
		p, ok := model.Property(string(of), one.Name)
		return ok && !p.Stable
	})
}

// everyDevice stands for all devices in the id of an assignment, as in Intune.
const everyDevice = "adadadad-808e-44e2-905a-0b7873a8a531"

// assignmentID is the id of an assignment as Graph has it: the payload's and that of whom it is
// assigned to. So it is the same for the same assignment, whenever it is made.
func assignmentID(p *catalog.Payload, a catalog.Assignment) string {
	return string(p.ID) + "_" + cmp.Or(a.Target, everyDevice)
}

// hasOfAssignments reports whether the type of the collection's assignments has a property.
func (k *payloadKind) hasOfAssignments(property string) bool {
	_, ok := model.Property(k.of.AssignmentType, property)
	return ok
}

// requiredIntent is the only member of installIntent that is supported: the server installs what is
// assigned.
const requiredIntent = "required"

// The same of policies, whose assignments are not those of a set of policies.
const (
	applyIntent  = "apply"
	sourceDirect = "direct"
)

// assignBody is what the body of assign says.
type assignBody struct {
	list     []catalog.Assignment
	settings []*assignmentSettings // of each; nil: it has none
}

func (k *payloadKind) readAssignments(body *odata.Object) (given assignBody, err error) {
	if err := body.Only(k.of.Assignments); err != nil {
		return given, err
	}
	items, err := body.RequiredObjects(k.of.Assignments)
	if err != nil {
		return given, err
	}
	given.list = make([]catalog.Assignment, len(items))
	given.settings = make([]*assignmentSettings, len(items))
	for i, item := range items {
		if given.list[i], err = k.readAssignment(item); err != nil {
			return given, err
		}
		if !k.of.Intent {
			continue
		}
		if given.settings[i], err = readSettings(item); err != nil {
			return given, err
		}
	}
	return given, nil
}

// readAssignment reads one assignment. Its id is the server's own affair, and accepted because
// clients send back what they have read.
func (k *payloadKind) readAssignment(item *odata.Object) (a catalog.Assignment, err error) {
	known := []string{"id", "target", "intent", "source", "sourceId"}
	check := checkApplyIntent
	if k.of.Intent {
		known, check = append(known, "settings"), checkInstallIntent
	}
	if err := errors.Join(item.Only(known...), item.OnlyAs("source", sourceDirect),
		check(item)); err != nil {
		return a, err
	}
	to, err := item.RequiredObject("target")
	if err != nil {
		return a, err
	}
	odataType, err := to.ODataType()
	if err != nil {
		return a, err
	}
	i := slices.IndexFunc(targets, func(t target) bool { return t.odataType == odataType })
	if i < 0 {
		return a, odata.BadRequest(to.At("@odata.type"),
			"Property '%s' is not valid: '%s' is none of #%s.", to.At("@odata.type"),
			odata.Clip(odataType), strings.Join(targetTypes(), ", #"))
	}
	t := targets[i]
	if err := errors.Join(to.Only(t.property, filterID, filterType), noFilter(to)); err != nil {
		return a, err
	}
	a.Kind = t.kind
	if t.property != "" {
		a.Target, err = to.RequiredText(t.property)
	}
	return a, err
}

// The properties of a target that choose among its devices (Microsoft Graph beta reference,
// deviceAndAppManagementAssignmentTarget). What Intune exports has them, mostly without a filter.
const (
	filterID   = "deviceAndAppManagementAssignmentFilterId"
	filterType = "deviceAndAppManagementAssignmentFilterType"
)

// noFilter refuses a filter: left out it would give the payload to devices that should not have it.
func noFilter(to *odata.Object) error {
	id, _, err := to.Text(filterID)
	if err == nil && id != "" && id != uuid.Nil.String() {
		err = odata.BadRequest(to.At(filterID),
			"Property '%s' is not supported: there are no assignment filters here. Assign to a group of devices.",
			to.At(filterID))
	}
	return errors.Join(err, to.OnlyAs(filterType, "none"))
}

// checkApplyIntent refuses the intent to remove a policy: what is not assigned is removed anyway.
func checkApplyIntent(item *odata.Object) error { return item.OnlyAs("intent", applyIntent) }

func targetTypes() []string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.odataType
	}
	return names
}

func checkInstallIntent(item *odata.Object) error {
	intent, err := item.RequiredText("intent")
	if err != nil {
		return err
	}
	if !odata.SameName(intent, requiredIntent) {
		return odata.BadRequest(item.At("intent"),
			"Property '%s' '%s' is not supported: only '%s' is.", item.At("intent"),
			odata.Clip(intent), requiredIntent)
	}
	return nil
}
