package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Catalog keeps payloads, their assignments, and groups. *catalog.Catalog implements it; its errors are
// *invalid.Input, catalog.ErrNotFound and fleet.ErrNotFound.
type Catalog interface {
	Create(ctx context.Context, in catalog.Input) (*catalog.Payload, error)
	Get(ctx context.Context, id action.PayloadID) (*catalog.Payload, error)
	List(ctx context.Context, q query.Query) (query.Page[*catalog.Payload], error)
	// Update, and what else changes things, fails with the error of a condition on the thing as it stands.
	Update(ctx context.Context, id action.PayloadID, patch catalog.Patch, only ...func(*catalog.Payload) error) (*catalog.Payload, error)
	Delete(ctx context.Context, id action.PayloadID, only ...func(*catalog.Payload) error) error
	Assignments(ctx context.Context, id action.PayloadID) ([]catalog.Assignment, error)
	// AssignmentsOf returns the assignments of each of the payloads that has some.
	AssignmentsOf(ctx context.Context, ids []action.PayloadID) (map[action.PayloadID][]catalog.Assignment, error)
	Assign(ctx context.Context, id action.PayloadID, list []catalog.Assignment, only ...func(*catalog.Payload, []catalog.Assignment) error,
	) ([]catalog.Assignment, error)
	// PayloadTags returns a payload's scope tags; none if it does not exist.
	PayloadTags(ctx context.Context, id action.PayloadID) ([]string, error)
	TagDevice(ctx context.Context, id fleet.DeviceID, tags []string) error

	CreateGroup(ctx context.Context, in catalog.GroupInput) (*catalog.DeviceGroup, error)
	GetGroup(ctx context.Context, id string) (*catalog.DeviceGroup, error)
	ListGroups(ctx context.Context, q query.Query) (query.Page[*catalog.DeviceGroup], error)
	DeleteGroup(ctx context.Context, id string, only ...func(*catalog.DeviceGroup) error) error
	AddMember(ctx context.Context, group string, device fleet.DeviceID) error
	RemoveMember(ctx context.Context, group string, device fleet.DeviceID) error
	Members(ctx context.Context, group string, after fleet.DeviceID, limit int) ([]fleet.DeviceID, error)
}

func payloadRoutes(k *payloadKind) []route {
	r, read := k.resource(), may(k.rights.read)
	return []route{
		r.route(toList, read, expandOptions, k.list),
		r.route(toCount, read, countOptions, k.list),
		r.route(toCreate, may(k.rights.create), nil, k.create),
		r.route(toGet, read, []string{optionSelect, optionExpand}, k.get),
		r.route(toUpdate, may(k.rights.update), nil, k.update),
		r.route(toDelete, may(k.rights.delete), nil, k.delete),
		r.route(toAssign, may(k.rights.assign), nil, k.assign).answering(k.assignment()),
		r.route(toAssignQualified, may(k.rights.assign), nil, k.assign).answering(k.assignment()),
		r.route(toListAssignments, read, nil, k.listAssignments).answering(k.assignment()),
	}
}

func may(r access.Right) []access.Right { return []access.Right{r} }

// find returns the payload that the call's path names. One of another collection, or beyond the caller's scope, is not
// there.
func (k *payloadKind) find(c *call) (*catalog.Payload, error) {
	p, err := c.Catalog.Get(c.r.Context(), action.PayloadID(c.r.PathValue("id")))
	if err != nil {
		return nil, err
	}
	if p.Type != k.kind {
		return nil, catalog.ErrNotFound
	}
	if !c.scope.Reaches(p.Tags) {
		return nil, errHidden{catalog.ErrNotFound}
	}
	return p, nil
}

// findToChange is find for what changes the payload and the devices that have it: one single area must hold all of it.
func (k *payloadKind) findToChange(c *call, patch catalog.Patch) (*catalog.Payload, error) {
	p, err := k.find(c)
	if err != nil {
		return nil, err
	}
	return p, c.mayEdit(p, patch)
}

// mayEdit decides on an edit of a payload.
func (c *call) mayEdit(p *catalog.Payload, patch catalog.Patch) error {
	marks := patch.Tags != nil && patch.DisplayName == nil && patch.Description == nil && patch.FileName == nil && patch.File == nil &&
		(len(patch.Properties) == 0 || string(patch.Properties) == "{}")
	return c.mayChange(access.Change{Payload: p.ID, Tags: patch.Tags, Marks: marks})
}

func (k *payloadKind) get(c *call) error {
	selected, err := c.selected(k.selectable(true))
	if err != nil {
		return err
	}
	expanded, err := c.expansions(expandAssignments)
	if err != nil {
		return err
	}
	p, err := k.find(c)
	if err != nil {
		return err
	}
	if len(expanded) == 0 {
		return k.reply(c, http.StatusOK, p, selected)
	}
	list, err := c.assignments(p.ID)
	if err != nil {
		return err
	}
	return k.reply(c, http.StatusOK, p, selected, k.assigned(list))
}

func (k *payloadKind) create(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	odataType, err := body.odataType()
	if err != nil {
		return err
	}
	t := k.ofType(odataType)
	if t == nil {
		return badRequest("@odata.type", "Property '@odata.type' must be one of %s.", k.typeNames())
	}
	patch, err := k.edit(body, t)
	if err != nil {
		return err
	}
	// What somebody limited to some scope tags makes carries these, as in Intune.
	if patch.Tags, err = c.taggedBy(patch.Tags); err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Tags: append([]string{}, patch.Tags...)}); err != nil {
		return err
	}
	in := catalog.Input{ODataType: t.name, File: patch.File, Tags: patch.Tags, Properties: patch.Properties}
	for field, value := range map[*string]*string{&in.DisplayName: patch.DisplayName, &in.Description: patch.Description,
		&in.FileName: patch.FileName} {
		if value != nil {
			*field = *value
		}
	}
	p, err := c.Catalog.Create(c.r.Context(), in)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", c.base()+c.version()+k.path()+"/"+string(p.ID))
	return k.reply(c, http.StatusCreated, p, k.selectable(true))
}

func (k *payloadKind) update(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	p, err := k.find(c)
	if err != nil {
		return err
	}
	odataType, err := body.odataType()
	if err != nil {
		return err
	}
	if odataType != "" && odataType != graphNamespace+p.ODataType {
		return badRequest("@odata.type", "Property '@odata.type' cannot change: it is '#%s'.", graphNamespace+p.ODataType)
	}
	patch, err := k.edit(body, k.ofType(graphNamespace+p.ODataType))
	if err != nil {
		return err
	}
	if err := c.mayEdit(p, patch); err != nil {
		return err
	}
	if p, err = c.Catalog.Update(c.r.Context(), p.ID, patch, c.samePayload); err != nil {
		return err
	}
	return k.reply(c, http.StatusOK, p, k.selectable(true))
}

func (k *payloadKind) delete(c *call) error {
	p, err := k.findToChange(c, catalog.Patch{})
	if err != nil {
		return err
	}
	if err := c.Catalog.Delete(c.r.Context(), p.ID, c.samePayload); err != nil {
		return err
	}
	return c.noContent()
}

func (k *payloadKind) typeNames() string {
	names := make([]string, len(k.types))
	for i, t := range k.types {
		names[i] = "#" + graphNamespace + t.name
	}
	return strings.Join(names, ", ")
}

// edit reads what a body sets of a payload.
func (k *payloadKind) edit(body *object, t *payloadType) (p catalog.Patch, err error) {
	if err := body.only(k.writable(t)...); err != nil {
		return p, err
	}
	properties := fields{}
	for _, name := range body.names {
		switch {
		case slices.Contains(t.properties, name):
			properties = append(properties, field{name, body.values[name]})
		case name == "displayName":
			p.DisplayName, err = body.edited(name)
		case name == "description":
			p.Description, err = body.edited(name)
		case name == tagProperty:
			p.Tags, err = body.requiredTexts(name)
		case name == filePropertyName:
			p.FileName, err = body.edited(name)
		case name == filePropertyContent:
			p.File, err = body.file(name)
		}
		if err != nil {
			return p, err
		}
	}
	p.Properties, err = properties.MarshalJSON()
	return p, err
}

// file is an Edm.Binary property. JSON carries it in base64 (OData JSON format).
func (o *object) file(name string) ([]byte, error) {
	text, err := o.requiredText(name)
	if err != nil {
		return nil, err
	}
	file, err := catalog.DecodeBase64(text)
	if err != nil {
		return nil, badRequest(o.at(name), "Property '%s' must be base64.", o.at(name))
	}
	return file, nil
}

func (k *payloadKind) reply(c *call, status int, p *catalog.Payload, selected []string, more ...field) error {
	body, err := k.fields(p, selected)
	if err != nil {
		return err
	}
	c.tag(payloadTag(p))
	context := c.contextURL(k.path()) + "/$entity"
	return c.reply(status, slices.Concat(fields{{"@odata.context", context}}, body, more))
}

// fields are the selected properties of a payload. What its type has and nobody set is null.
func (k *payloadKind) fields(p *catalog.Payload, selected []string) (fields, error) {
	given := make(map[string]json.RawMessage)
	if len(p.Properties) > 0 {
		if err := json.Unmarshal(p.Properties, &given); err != nil {
			return nil, fmt.Errorf("properties of payload %s: %w", p.ID, err)
		}
	}
	all := fields{
		{"id", p.ID},
		{"displayName", p.DisplayName},
		{"description", textOrNull(p.Description)},
		{"createdDateTime", timestamp(p.Created)},
		{"lastModifiedDateTime", timestamp(p.LastModified)},
		{"version", p.Version},
		{tagProperty, p.Tags},
	}
	if k.hasFile() {
		all = append(all, field{filePropertyName, textOrNull(p.FileName)}, field{filePropertyContent, p.Uploaded()})
	}
	for _, name := range k.ofType(graphNamespace + p.ODataType).properties {
		all = append(all, field{name, given[name]})
	}
	return append(fields{{"@odata.type", "#" + graphNamespace + p.ODataType}, {etagProperty, quoted(payloadTag(p))}}, all.pick(selected)...), nil
}
