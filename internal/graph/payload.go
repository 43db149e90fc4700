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
	"github.com/syncpayloads/syncpayloads/internal/graph/model"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Catalog keeps payloads, their assignments, and groups. *catalog.Catalog implements it; its errors
// are *invalid.Input, catalog.ErrNotFound and fleet.ErrNotFound.
type Catalog interface {
	Create(ctx context.Context, in catalog.Input) (*catalog.Payload, error)
	Get(ctx context.Context, id action.PayloadID) (*catalog.Payload, error)
	List(ctx context.Context, q query.Query) (query.Page[*catalog.Payload], error)
	// Update, and what else changes things, fails with the error of a condition on the thing as it
	// stands.
	Update(ctx context.Context, id action.PayloadID, patch catalog.Patch,
		only ...func(*catalog.Payload) error) (*catalog.Payload, error)
	Delete(ctx context.Context, id action.PayloadID, only ...func(*catalog.Payload) error) error
	Assignments(ctx context.Context, id action.PayloadID) ([]catalog.Assignment, error)
	// AssignmentsOf returns the assignments of each of the payloads that has some.
	AssignmentsOf(ctx context.Context,
		ids []action.PayloadID) (map[action.PayloadID][]catalog.Assignment, error)
	Assign(ctx context.Context, id action.PayloadID, list []catalog.Assignment,
		only ...func(*catalog.Payload, []catalog.Assignment) error,
	) ([]catalog.Assignment, error)
	// AssignEdited assigns a payload and edits it, both or neither.
	AssignEdited(ctx context.Context, id action.PayloadID, list []catalog.Assignment,
		patch catalog.Patch, only ...func(*catalog.Payload, []catalog.Assignment) error,
	) ([]catalog.Assignment, error)
	// PayloadTags returns a payload's scope tags; none if it does not exist.
	PayloadTags(ctx context.Context, id action.PayloadID) ([]string, error)
	// EditDevice changes what admins say of a device.
	EditDevice(ctx context.Context, id fleet.DeviceID, e fleet.Edit) error
	// DeleteDevice deletes the record of a device that left; catalog.ErrManaged if it has not.
	DeleteDevice(ctx context.Context, id fleet.DeviceID) error

	CreateGroup(ctx context.Context, in catalog.GroupInput) (*catalog.DeviceGroup, error)
	GetGroup(ctx context.Context, id string) (*catalog.DeviceGroup, error)
	ListGroups(ctx context.Context, q query.Query) (query.Page[*catalog.DeviceGroup], error)
	// UpdateGroup edits a group and puts devices into it: all of it or nothing.
	UpdateGroup(ctx context.Context, id string, patch catalog.GroupPatch,
		members []fleet.DeviceID, only ...func(*catalog.DeviceGroup) error) error
	DeleteGroup(ctx context.Context, id string, only ...func(*catalog.DeviceGroup) error) error
	AddMember(ctx context.Context, group string, device fleet.DeviceID) error
	RemoveMember(ctx context.Context, group string, device fleet.DeviceID) error
	Members(ctx context.Context, group string, after fleet.DeviceID, limit int) ([]fleet.DeviceID,
		error)
}

func payloadRoutes(k *payloadKind) []route {
	r, read := k.resource(), may(k.rights.read)
	routes := k.assignmentRoutes()
	if k.of == catalog.Apps {
		routes = append(routes, k.relatedRoutes()...)
	}
	return append(routes, []route{
		r.route(toList, read, odata.ExpandOptions, k.list),
		r.route(toCount, read, odata.CountOptions, k.list),
		r.route(toCreate, may(k.rights.create), nil, k.create),
		r.route(toGet, read, []string{odata.OptionSelect, odata.OptionExpand}, k.get),
		r.route(toUpdate, may(k.rights.update), nil, k.update),
		r.route(toDelete, may(k.rights.delete), nil, k.delete),
		r.route(toAssign, may(k.rights.assign), nil, k.assign).answering(k.assignment()),
		r.route(toAssignQualified, may(k.rights.assign), nil, k.assign).answering(k.assignment()),
		r.route(toListAssignments, read, []string{odata.OptionSelect}, k.listAssignments).
			answering(k.assignment()),
	}...)
}

func may(r access.Right) []access.Right { return []access.Right{r} }

// find returns the payload that the call's path names. One of another collection, or beyond the
// caller's scope, is not there.
func (k *payloadKind) find(c *call) (*catalog.Payload, error) {
	p, err := c.config.Catalog.Get(c.req.Context(), action.PayloadID(c.req.PathValue("id")))
	if err != nil {
		return nil, err
	}
	if p.Type != k.of.Kind || !c.castsTo(p) {
		return nil, catalog.ErrNotFound
	}
	if !c.scope.Reaches(p.Tags) {
		return nil, errHidden{catalog.ErrNotFound}
	}
	if p.MirroredFrom != "" && !c.reads() {
		return nil, mirroredFault(p)
	}
	return p, nil
}

// findToChange is find for what changes the payload and the devices that have it: one single area
// must hold all of it.
func (k *payloadKind) findToChange(c *call, patch catalog.Patch) (*catalog.Payload, error) {
	p, err := k.find(c)
	if err != nil {
		return nil, err
	}
	return p, c.mayEdit(p, patch)
}

// mayEdit decides on an edit of a payload.
func (c *call) mayEdit(p *catalog.Payload, patch catalog.Patch) error {
	marks := patch.Tags != nil && patch.DisplayName == nil && patch.Description == nil &&
		patch.FileName == nil && patch.File == nil &&
		(len(patch.Properties) == 0 || string(patch.Properties) == "{}")
	return c.mayChange(access.Change{Payload: p.ID, Tags: patch.Tags, TagsOnly: marks})
}

func (k *payloadKind) get(c *call) error {
	view, err := k.view(c)
	if err != nil {
		return err
	}
	p, err := k.find(c)
	if err != nil {
		return err
	}
	return k.reply(c, http.StatusOK, p, view)
}

func (k *payloadKind) create(c *call) error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	odataType, err := body.ODataType()
	if err != nil {
		return err
	}
	form := k.formOf(c.config.Forms, odataType)
	if form == nil {
		refused := c.config.Forms.Refused(k.of, strings.TrimPrefix(odataType, odata.GraphNamespace))
		if refused != "" {
			return odata.BadRequest("@odata.type", "Nothing of the type '#%s' can be made: %s.",
				odataType, refused)
		}
		return odata.BadRequest("@odata.type", "Property '@odata.type' must be one of %s.",
			k.typeNames(c.config.Forms))
	}
	patch, err := readPatch(body, form)
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
	in := catalog.Input{ODataType: form.Type, File: patch.File, Tags: patch.Tags,
		Properties: patch.Properties}
	in.DisplayName, in.Description = valueOf(patch.DisplayName), valueOf(patch.Description)
	in.FileName = valueOf(patch.FileName)
	p, err := c.config.Catalog.Create(c.req.Context(), in)
	if err != nil {
		return err
	}
	c.req.Writer.Header().Set("Location", c.req.URL(k.path()+"/"+string(p.ID)))
	return k.reply(c, http.StatusCreated, p, k.wholeView(c))
}

func (k *payloadKind) update(c *call) error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	p, err := k.find(c)
	if err != nil {
		return err
	}
	odataType, err := body.ODataType()
	if err != nil {
		return err
	}
	if odataType != "" && odataType != odata.GraphNamespace+p.ODataType {
		return odata.BadRequest("@odata.type", "Property '@odata.type' cannot change: it is '#%s'.",
			odata.GraphNamespace+p.ODataType)
	}
	form := c.config.Forms.OfPayload(p)
	if form == nil {
		return odata.BadRequest("@odata.type",
			"This server does not keep '#%s' any more: it can only be deleted.",
			odata.GraphNamespace+p.ODataType)
	}
	patch, err := readPatch(body, form)
	if err != nil {
		return err
	}
	if err := c.mayEdit(p, patch); err != nil {
		return err
	}
	if p, err = c.config.Catalog.Update(c.req.Context(), p.ID, patch, c.samePayload); err != nil {
		return err
	}
	return k.reply(c, http.StatusOK, p, k.wholeView(c))
}

func (k *payloadKind) delete(c *call) error {
	p, err := k.findToChange(c, catalog.Patch{})
	if err != nil {
		return err
	}
	if err := c.config.Catalog.Delete(c.req.Context(), p.ID, c.samePayload); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}

func (k *payloadKind) typeNames(forms *catalog.Forms) string {
	var names []string
	for _, form := range forms.In(k.of) {
		names = append(names, "#"+odata.GraphNamespace+form.Type)
	}
	return strings.Join(names, ", ")
}

// valueOf is what a text is set to; empty if it is not set.
func valueOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// readPatch reads what a body sets of a payload.
func readPatch(body *odata.Object, form *catalog.Form) (p catalog.Patch, err error) {
	body.Is(odata.TypeName(form.Type))
	if err := body.Only(append(writable(form).Names(), bindings(form)...)...); err != nil {
		return p, err
	}
	properties := odata.Fields{}
	for _, name := range body.Names {
		var named odata.Field
		var isReference bool
		if named, isReference, err = bound(body, form, name); err != nil {
			return p, err
		}
		switch {
		case isReference:
			properties = append(properties, named)
		case form.Property(name) != nil:
			properties = append(properties, odata.Field{name, body.Values[name]})
		case name == "displayName":
			p.DisplayName, err = body.EditedText(name)
		case name == "description":
			p.Description, err = body.EditedText(name)
		case name == tagProperty:
			p.Tags, err = body.OptionalTexts(name)
		case name == filePropertyName:
			p.FileName, err = body.EditedText(name)
		case name == filePropertyContent:
			p.File, err = readFile(body, name)
		}
		if err != nil {
			return p, err
		}
	}
	p.Properties, err = properties.MarshalJSON()
	return p, err
}

func (k *payloadKind) reply(c *call, status int, p *catalog.Payload, view payloadView) error {
	var assigned []catalog.Assignment
	var err error
	if view.asksAssigned(k) {
		if assigned, err = c.config.Catalog.Assignments(c.req.Context(), p.ID); err != nil {
			return err
		}
	}
	body, err := k.fields(c, p, view, assigned)
	if err != nil {
		return err
	}
	if view.expanded {
		seen, err := c.newSight().assignments(c.req.Context(), assigned)
		if err != nil {
			return err
		}
		body = append(body, k.assigned(c, p, seen))
	}
	c.req.SetTag(payloadTag(p))
	context := c.req.ContextURL(k.path()) + "/$entity"
	return c.req.Reply(status, append(odata.Fields{{"@odata.context", context}}, body...))
}

// fields are the selected properties of a payload. What its type has and nobody set is null, or
// where Graph always has a value that of nothing.
func (k *payloadKind) fields(c *call, p *catalog.Payload, view payloadView,
	assigned []catalog.Assignment) (odata.Fields, error) {
	given := make(map[string]json.RawMessage)
	if len(p.Properties) > 0 {
		if err := json.Unmarshal(p.Properties, &given); err != nil {
			return nil, fmt.Errorf("properties of payload %s: %w", p.ID, err)
		}
	}
	all := odata.Fields{
		{"id", p.ID},
		{"displayName", p.DisplayName},
		{"description", odata.TextOrNull(p.Description)},
		{"createdDateTime", odata.Timestamp(p.Created)},
		{"lastModifiedDateTime", odata.Timestamp(p.LastModified)},
		{"version", p.Version},
		{tagProperty, p.Tags},
	}
	if p.MirroredFrom != "" && len(given) > 0 { // what its own system tells of it
		for _, own := range k.of.Properties {
			all = append(all, odata.Field{own.Name, givenOr(p.ODataType, own.Name, given[own.Name])})
		}
	}
	if form := c.config.Forms.OfPayload(p); form != nil {
		if form.File {
			all = append(all, odata.Field{filePropertyName, odata.TextOrNull(p.FileName)},
				odata.Field{filePropertyContent, p.Uploaded()})
		}
		for _, own := range ownProperties(form) {
			all = append(all, odata.Field{own.Name, givenOr(p.ODataType, own.Name, given[own.Name])})
		}
	}
	if k.of == catalog.Apps {
		all = append(all, odata.Field{isAssigned, len(assigned) > 0})
	}
	s := c.server.payloadShapes.of(p, k)
	selected := view.selected
	if view.whole {
		selected = c.view(s).names
	}
	shown := append(odata.Fields{{"@odata.type", "#" + odata.GraphNamespace + p.ODataType},
		{odata.ETagProperty, odata.QuoteTag(payloadTag(p))}}, mirroredMark(p)...)
	shown = append(shown, c.shown(s, all, selected)...)
	for _, name := range view.related {
		shown = append(shown, odata.Field{name, []odata.Fields{}})
	}
	return shown, nil
}

// givenOr is a property as it was given. Of what Graph always has, nothing given is false, zero or
// an empty text.
func givenOr(of, name string, given json.RawMessage) any {
	if given != nil {
		return given
	}
	if p, ok := model.Property(of, name); ok && !p.Nullable && !p.Collection &&
		slices.Contains([]odata.TypeName{odata.Boolean, odata.Int32, odata.String},
			odata.TypeName(p.Type)) {
		return lacking(of, p)
	}
	return nil
}
