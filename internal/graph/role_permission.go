package graph

import (
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// roleEdit reads what a body sets of a role. Roles carry no scope tags: a caller who may read roles
// may read all of them.
func roleEdit(body *odata.Object) (p access.RolePatch, err error) {
	if err := body.Only(definitionProperties.Names()...); err != nil {
		return p, err
	}
	if err := body.OfType(definitionType, "roleDefinition"); err != nil {
		return p, err
	}
	tags, err := body.OptionalTexts(tagProperty)
	if err == nil && len(tags) > 0 && !slices.Equal(tags, []string{fleet.DefaultTag}) {
		err = odata.BadRequest(tagProperty,
			"Property '%s' must be empty: roles carry no scope tags.", tagProperty)
	}
	if err != nil {
		return p, err
	}
	if err := body.Read(odata.Readers{"displayName": body.Edits(&p.Name),
		"description": body.Edits(&p.Description)}); err != nil {
		return p, err
	}
	p.Rights, err = readRights(body)
	return p, err
}

// readRights are what rolePermissions, or under its older name permissions, allows; nil: the body
// has neither.
func readRights(o *odata.Object) (rights []access.Right, err error) {
	for _, name := range []string{"permissions", "rolePermissions"} {
		if o.Values[name] == nil {
			continue
		}
		these, err := readPermissions(o, name)
		if err != nil {
			return nil, err
		}
		if rights != nil && !slices.Equal(rights, these) {
			return nil, odata.BadRequest(o.At(name),
				"Properties 'permissions' and 'rolePermissions' must allow the same. Leave 'permissions' out.")
		}
		rights = these
	}
	return rights, nil
}

// readPermissions is a collection of rolePermission: what any of them allows and none does not
// allow, in order.
func readPermissions(o *odata.Object, name string) ([]access.Right, error) {
	list, err := o.RequiredObjects(name)
	if err != nil {
		return nil, err
	}
	allowed, denied := []access.Right{}, []access.Right{}
	for _, permission := range list {
		if err := permission.Only("actions", "resourceActions"); err != nil {
			return nil, err
		}
		// Clients give back actions, the older form, beside resourceActions.
		if permission.Values["resourceActions"] == nil {
			if allowed, err = addRights(permission, allowed, "actions"); err != nil {
				return nil, err
			}
			continue
		}
		actions, err := permission.RequiredObjects("resourceActions")
		if err != nil {
			return nil, err
		}
		for _, a := range actions {
			if err := a.Only("allowedResourceActions", "notAllowedResourceActions"); err != nil {
				return nil, err
			}
			if allowed, err = addRights(a, allowed, "allowedResourceActions"); err != nil {
				return nil, err
			}
			if denied, err = addRights(a, denied, "notAllowedResourceActions"); err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(allowed)
	return slices.DeleteFunc(slices.Compact(allowed),
		func(r access.Right) bool { return slices.Contains(denied, r) }), nil
}

// addRights adds a collection of resource actions to a list. Each must be one that there is.
func addRights(o *odata.Object, list []access.Right, name string) ([]access.Right, error) {
	texts, err := o.OptionalTexts(name)
	if err != nil {
		return nil, err
	}
	known := access.Rights()
	for i, text := range texts {
		if !slices.Contains(known, access.Right(text)) {
			element := fmt.Sprintf("%s[%d]", o.At(name), i)
			return nil, odata.BadRequest(element,
				"Property '%s' is not valid: there is no resource action '%s'. GET %s%s lists them.",
				element, odata.Clip(text), odata.BetaPath, operationSet)
		}
		list = append(list, access.Right(text))
	}
	return list, nil
}
