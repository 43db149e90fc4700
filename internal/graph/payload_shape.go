package graph

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// payloadShapes are what payloads are served with: those of each form, by its type, and of each
// collection what $select may name over all its types.
type payloadShapes struct {
	forms map[string]*shape
	names map[*catalog.Collection]map[string][]string // by the version's path
}

// newPayloadShapes makes them, of collections with properties of their own.
func newPayloadShapes(forms *catalog.Forms) *payloadShapes {
	all := &payloadShapes{forms: make(map[string]*shape),
		names: make(map[*catalog.Collection]map[string][]string)}
	for _, k := range kinds {
		base := newShape(k.of.Base, k.served())
		shapes := []*shape{base}
		all.forms[k.of.Base] = base
		for _, form := range forms.In(k.of) {
			served := append(k.served(), ownProperties(form)...)
			if form.File {
				served = append(served, fileProperties...)
			}
			s := newShape(form.Type, served)
			all.forms[form.Type] = s
			shapes = append(shapes, s)
		}
		all.names[k.of] = map[string][]string{odata.BetaPath: nil, odata.StablePath: nil}
		for _, s := range shapes {
			all.add(k.of, odata.BetaPath, s.beta.names)
			all.add(k.of, odata.StablePath, s.stable.names)
		}
	}
	return all
}

func (all *payloadShapes) add(of *catalog.Collection, version string, names []string) {
	known := all.names[of][version]
	for _, name := range names {
		if !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	all.names[of][version] = known
}

// of is the shape of a payload. One of a type that is not known any more has what all have.
func (all *payloadShapes) of(p *catalog.Payload, k *payloadKind) *shape {
	if s := all.forms[p.ODataType]; s != nil {
		return s
	}
	return all.forms[k.of.Base]
}

// served are the properties that this server works out for every payload of the collection.
func (k *payloadKind) served() odata.Properties {
	all := append(k.readOnly(), everyProperties...)
	if k.of == catalog.Apps {
		all = append(all, odata.Property{isAssigned, odata.Boolean})
	}
	return all
}

// isAssigned tells whether an app is assigned to anybody.
const isAssigned = "isAssigned"

// payloadView is what a call wants to see of payloads.
type payloadView struct {
	selected []string
	whole    bool     // all that each type has
	expanded bool     // with their assignments
	related  []string // what $expand names beside them, of which there is nothing
}

// names are what $select may name of the collection.
func (k *payloadKind) names(c *call) []string {
	return c.server.payloadShapes.names[k.of][c.req.Version()]
}

// view reads what the call wants to see.
func (k *payloadKind) view(c *call) (v payloadView, err error) {
	all := k.names(c)
	if v.selected, err = c.req.Selected(all); err != nil {
		return v, err
	}
	v.whole = isWhole(v.selected, all)
	known := []string{expandAssignments}
	if k.of == catalog.Apps {
		known = append(known, appRelations(c)...)
	}
	expanded, err := c.req.Expansions(known...)
	v.expanded = slices.Contains(expanded, expandAssignments)
	v.related = slices.DeleteFunc(expanded,
		func(name string) bool { return name == expandAssignments })
	return v, err
}

// wholeView shows all that there is of a payload.
func (k *payloadKind) wholeView(c *call) payloadView {
	return payloadView{selected: k.names(c), whole: true}
}

// asksAssigned reports whether the assignments must be known for what is shown.
func (v *payloadView) asksAssigned(k *payloadKind) bool {
	return v.expanded || k.of == catalog.Apps && slices.Contains(v.selected, isAssigned)
}
