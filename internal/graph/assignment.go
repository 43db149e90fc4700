package graph

import (
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// target is one type of an assignment's target: whom it addresses, and the property that names them.
type target struct {
	odataType string // without '#'
	kind      catalog.TargetKind
	property  string // empty: it names nobody
}

// targets are Graph's deviceAndAppManagementAssignmentTarget types that address devices, and one of our own.
var targets = []target{
	{"microsoft.graph.allDevicesAssignmentTarget", catalog.AllDevices, ""},
	{"microsoft.graph.groupAssignmentTarget", catalog.Group, "groupId"},
	{"microsoft.graph.exclusionGroupAssignmentTarget", catalog.ExcludeGroup, "groupId"},
	{"syncpayloads.deviceAssignmentTarget", catalog.OneDevice, "deviceId"},
}

// assign is POST …/{id}/assign: the body's assignments replace those that the payload has.
func (k *payloadKind) assign(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	list, err := k.readAssignments(body)
	if err != nil {
		return err
	}
	p, err := k.find(c)
	if err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Payload: p.ID, Targets: lowered(list)}); err != nil {
		return k.renamed(err)
	}
	list, err = c.Catalog.Assign(c.r.Context(), p.ID, list, c.sameAssignments)
	if err != nil {
		return k.renamed(err)
	}
	if !k.echo {
		return c.noContent()
	}
	return k.replyAssignments(c, list)
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
			return &invalid.Input{Property: k.assignments + rest, Reason: wrong.Reason}
		}
	}
	return err
}

func (k *payloadKind) listAssignments(c *call) error {
	p, err := k.find(c)
	if err != nil {
		return err
	}
	list, err := c.assignments(p.ID)
	if err != nil {
		return err
	}
	return k.replyAssignments(c, list)
}

func (k *payloadKind) replyAssignments(c *call, list []catalog.Assignment) error {
	c.tag(assignmentsTag(list))
	page := page{collection: k.path() + "('" + c.r.PathValue("id") + "')/assignments", value: make([]fields, len(list))}
	for i, a := range list {
		page.value[i] = k.assignmentFields(a)
	}
	return c.list(page)
}

func (k *payloadKind) assignmentFields(a catalog.Assignment) fields {
	t := targets[slices.IndexFunc(targets, func(t target) bool { return t.kind == a.Kind })]
	to := fields{{"@odata.type", "#" + t.odataType}}
	if t.property != "" {
		to = append(to, field{t.property, a.Target})
	}
	f := fields{{"@odata.type", k.assignmentType}, {"id", a.ID}}
	if k.intent {
		f = append(f, field{"intent", requiredIntent})
	}
	return append(f, field{"target", to})
}

// requiredIntent is the only member of installIntent that is supported: the server installs what is assigned.
const requiredIntent = "required"

func (k *payloadKind) readAssignments(body *object) ([]catalog.Assignment, error) {
	if err := body.only(k.assignments); err != nil {
		return nil, err
	}
	items, err := body.requiredObjects(k.assignments)
	if err != nil {
		return nil, err
	}
	list := make([]catalog.Assignment, len(items))
	for i, item := range items {
		if list[i], err = k.readAssignment(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// readAssignment reads one assignment. Its id is the server's own affair, and accepted because clients send back what
// they have read.
func (k *payloadKind) readAssignment(item *object) (a catalog.Assignment, err error) {
	known := []string{"id", "target", "intent", "source", "sourceId"}
	check := checkApplyIntent
	if k.intent {
		known, check = append(known, "settings"), checkInstallIntent
	}
	if err := errors.Join(item.only(known...), item.onlyAs("source", "direct"), check(item)); err != nil {
		return a, err
	}
	to, err := item.requiredObject("target")
	if err != nil {
		return a, err
	}
	odataType, err := to.odataType()
	if err != nil {
		return a, err
	}
	i := slices.IndexFunc(targets, func(t target) bool { return t.odataType == odataType })
	if i < 0 {
		return a, badRequest(to.at("@odata.type"), "Property '%s' is not valid: '%s' is none of #%s.", to.at("@odata.type"),
			clip(odataType), strings.Join(targetTypes(), ", #"))
	}
	t := targets[i]
	if err := errors.Join(to.only(t.property, filterID, filterType), noFilter(to)); err != nil {
		return a, err
	}
	a.Kind = t.kind
	if t.property != "" {
		a.Target, err = to.requiredText(t.property)
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
func noFilter(to *object) error {
	id, _, err := to.text(filterID)
	if err == nil && id != "" && id != uuid.Nil.String() {
		err = badRequest(to.at(filterID), "Property '%s' is not supported: there are no assignment filters here. Assign to a group of devices.",
			to.at(filterID))
	}
	return errors.Join(err, to.onlyAs(filterType, "none"))
}

// onlyAs refuses other values of a text property than one, which may be left out.
func (o *object) onlyAs(name, value string) error {
	text, ok, err := o.text(name)
	if err == nil && ok && text != value {
		err = badRequest(o.at(name), "Property '%s' can only be '%s' here, and not '%s'.", o.at(name), value, clip(text))
	}
	return err
}

// checkApplyIntent refuses the intent to remove a policy: what is not assigned is removed anyway.
func checkApplyIntent(item *object) error { return item.onlyAs("intent", "apply") }

func targetTypes() []string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.odataType
	}
	return names
}

func checkInstallIntent(item *object) error {
	intent, err := item.requiredText("intent")
	if err != nil {
		return err
	}
	if intent != requiredIntent {
		return badRequest(item.at("intent"), "Property '%s' '%s' is not supported: only '%s' is.", item.at("intent"),
			clip(intent), requiredIntent)
	}
	if item.values["settings"] != nil {
		return badRequest(item.at("settings"), "Property '%s' is not supported. Leave it out.", item.at("settings"))
	}
	return nil
}
