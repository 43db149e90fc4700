package graph

import (
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// roleEdit reads what a body sets of a role. Roles carry no scope tags: who reads roles reads all of them.
func roleEdit(body *object) (p access.RolePatch, err error) {
	if err := body.only(definitionProperties.names()...); err != nil {
		return p, err
	}
	if err := body.ofType(definitionType, "roleDefinition"); err != nil {
		return p, err
	}
	tags, err := body.optionalTexts(tagProperty)
	if err == nil && len(tags) > 0 && !slices.Equal(tags, []string{fleet.DefaultTag}) {
		err = badRequest(tagProperty, "Property '%s' must be empty: roles carry no scope tags.", tagProperty)
	}
	if err != nil {
		return p, err
	}
	if err := body.read(readers{"displayName": body.edits(&p.Name), "description": body.edits(&p.Description)}); err != nil {
		return p, err
	}
	p.Rights, err = readRights(body)
	return p, err
}

// readRights are what rolePermissions, or under its older name permissions, allows; nil: the body has neither.
func readRights(o *object) (rights []access.Right, err error) {
	for _, name := range []string{"permissions", "rolePermissions"} {
		if o.values[name] == nil {
			continue
		}
		these, err := readPermissions(o, name)
		if err != nil {
			return nil, err
		}
		if rights != nil && !slices.Equal(rights, these) {
			return nil, badRequest(o.at(name), "Properties 'permissions' and 'rolePermissions' must allow the same. Leave 'permissions' out.")
		}
		rights = these
	}
	return rights, nil
}

// readPermissions is a collection of rolePermission: what any of them allows and none does not allow, in order.
func readPermissions(o *object, name string) ([]access.Right, error) {
	list, err := o.requiredObjects(name)
	if err != nil {
		return nil, err
	}
	allowed, denied := []access.Right{}, []access.Right{}
	for _, permission := range list {
		if err := permission.only("actions", "resourceActions"); err != nil {
			return nil, err
		}
		// Clients give back actions, the older form, beside resourceActions.
		if permission.values["resourceActions"] == nil {
			if allowed, err = addRights(permission, allowed, "actions"); err != nil {
				return nil, err
			}
			continue
		}
		actions, err := permission.requiredObjects("resourceActions")
		if err != nil {
			return nil, err
		}
		for _, a := range actions {
			if err := a.only("allowedResourceActions", "notAllowedResourceActions"); err != nil {
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
	return slices.DeleteFunc(slices.Compact(allowed), func(r access.Right) bool { return slices.Contains(denied, r) }), nil
}

// addRights adds a collection of resource actions to a list. Each must be one that there is.
func addRights(o *object, list []access.Right, name string) ([]access.Right, error) {
	texts, err := o.optionalTexts(name)
	if err != nil {
		return nil, err
	}
	known := access.Rights()
	for i, text := range texts {
		if !slices.Contains(known, access.Right(text)) {
			element := fmt.Sprintf("%s[%d]", o.at(name), i)
			return nil, badRequest(element, "Property '%s' is not valid: there is no resource action '%s'. GET %s%s lists them.",
				element, clip(text), versionPath, operationSet)
		}
		list = append(list, access.Right(text))
	}
	return list, nil
}
