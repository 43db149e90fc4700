package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// Some properties of payloads name other policies, and are relationships in Graph. Bodies give them
// by ids, as they are kept, or by references: name@odata.bind (OData JSON format 4.0, section 8.5).

const bind = "@odata.bind"

// bindings are the references that a body of a form may have.
func bindings(form *catalog.Form) (names []string) {
	for _, p := range form.Properties {
		if p.Reference {
			names = append(names, p.Name+bind)
		}
	}
	return names
}

// bound reads a reference, or several, as ids under the name of the property; ok is false where the
// name is no reference.
func bound(body *odata.Object, form *catalog.Form, name string) (f odata.Field, ok bool, err error) {
	property, ok := strings.CutSuffix(name, bind)
	if !ok || !slices.Contains(bindings(form), name) {
		return f, false, nil
	}
	if body.Values[property] != nil {
		return f, true, odata.BadRequest(name,
			"Properties '%s' and '%s' say the same. Give one of them.", property, name)
	}
	if !form.Property(property).Type.Many {
		address, given, err := body.Text(name)
		if err != nil || !given {
			return odata.Field{property, nil}, true, err
		}
		id, err := boundID(name, address)
		return odata.Field{property, id}, true, err
	}
	addresses, err := body.OptionalTexts(name)
	ids := make([]any, len(addresses))
	for i, address := range addresses {
		if ids[i], err = boundID(fmt.Sprintf("%s[%d]", name, i), address); err != nil {
			return f, true, err
		}
	}
	return odata.Field{property, ids}, true, err
}

// boundID is the id of the policy that an address names.
func boundID(where, address string) (string, error) {
	sets := make([]string, 0, len(catalog.Collections()))
	for _, k := range payloadKinds() {
		sets = append(sets, k.set())
	}
	id, ok := referred(address, sets...)
	if !ok {
		return "", odata.BadRequest(where,
			"Property '%s' must be the URL of a policy, ending in deviceConfigurations('id') or deviceConfigurations/id.", where)
	}
	return id, nil
}
