package graph

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

const (
	bindDefinition = "roleDefinition@odata.bind"
	bindTags       = "roleScopeTags@odata.bind"
)

// assignmentEdit reads what a body sets of an assignment. The bindings are the references it takes
// beside scope tags.
func assignmentEdit(body *odata.Object, current *access.RoleAssignment,
	bindings ...string) (p access.AssignmentPatch, err error) {
	if err := body.Only(slices.Concat(assignmentProperties.Names(), bindings,
		[]string{bindTags})...); err != nil {
		return p, err
	}
	if err := body.OfType(assignmentType, "roleAssignment"); err != nil {
		return p, err
	}
	if err := body.Read(odata.Readers{
		"displayName": body.Edits(&p.Name),
		"description": body.Edits(&p.Description),
		"members": func(name string) (err error) {
			p.Members, err = body.RequiredTexts(name)
			return err
		},
	}); err != nil {
		return p, err
	}
	if p.Groups, err = readDeviceGroups(body, current.Groups); err != nil {
		return p, err
	}
	p.Tags, err = readScopeTags(body)
	return p, err
}

// readDeviceGroups reads the groups of devices to which an assignment shall be limited; nil: as
// now, a pointer to nil: to none. Older scripts name them in scopeMembers.
func readDeviceGroups(o *odata.Object, current []string) (*[]string, error) {
	scope, _, err := o.Text("scopeType")
	if err != nil {
		return nil, err
	}
	for _, own := range []string{scopeResources, scopeDevices, scopeDevicesAndPersons} {
		if odata.SameName(scope, own) {
			scope = own
		}
	}
	named, err := o.OptionalTexts("resourceScopes")
	if err != nil {
		return nil, err
	}
	members, err := o.OptionalTexts("scopeMembers")
	if err != nil {
		return nil, err
	}
	if len(named) == 0 {
		named = members
	}
	if len(members) > 0 && !slices.Equal(named, members) {
		return nil, odata.BadRequest("scopeMembers",
			"Property 'scopeMembers' must name the same groups as 'resourceScopes'. Leave it out.")
	}
	switch scope {
	case scopeDevices, scopeDevicesAndPersons:
		if len(named) > 0 {
			return nil, odata.BadRequest("scopeType",
				"Property 'scopeType' is '%s', and yet groups are named. Leave them out, or give '%s'.", scope, scopeResources)
		}
		return new([]string), nil
	case scopeResources, "":
		if len(named) > 0 {
			return &named, nil
		}
		if len(current) == 0 && (scope == scopeResources || current != nil) {
			return nil, odata.BadRequest("resourceScopes",
				"Property 'resourceScopes' must name a group of devices, unless 'scopeType' is '%s'.", scopeDevices)
		}
		return nil, nil
	default:
		return nil, odata.BadRequest("scopeType", "Property 'scopeType' must be one of %s, %s, %s.",
			scopeResources, scopeDevices, scopeDevicesAndPersons)
	}
}

// readScopeTags reads the scope tags to which an assignment is limited, by ids or by references;
// nil: the body does not say. An empty list takes the limit away.
func readScopeTags(o *odata.Object) (*[]string, error) {
	ids, err := o.OptionalTexts(tagProperty)
	if err != nil {
		return nil, err
	}
	references, err := o.OptionalTexts(bindTags)
	if err != nil {
		return nil, err
	}
	if ids != nil && len(references) > 0 {
		return nil, odata.BadRequest(bindTags,
			"Properties '%s' and '%s' say the same. Give one of them.", tagProperty, bindTags)
	}
	for i, reference := range references {
		id, ok := referred(reference, "roleScopeTags")
		if !ok {
			element := fmt.Sprintf("%s[%d]", bindTags, i)
			return nil, odata.BadRequest(element,
				"Property '%s' must be the URL of a scope tag, ending in roleScopeTags('id') or roleScopeTags/id.", element)
		}
		ids = append(ids, id)
	}
	_, byID := o.Values[tagProperty]
	_, byReference := o.Values[bindTags]
	if !byID && !byReference {
		return nil, nil
	}
	if len(ids) == 0 {
		ids = nil
	}
	return &ids, nil
}

// referred reads the id out of a reference to an object of one of the collections: …/set('id') or
// …/set/id, whose letters may be in either case, as in any path.
func referred(reference string, sets ...string) (string, bool) {
	u, err := url.Parse(reference)
	if err != nil {
		return "", false
	}
	parent, id := path.Split(u.Path)
	of := path.Base(parent)
	if set, key, ok := strings.Cut(id, "('"); ok {
		if id, ok = strings.CutSuffix(key, "')"); !ok {
			return "", false
		}
		of = set
	}
	return id, id != "" && slices.ContainsFunc(sets,
		func(set string) bool { return strings.EqualFold(set, of) })
}
