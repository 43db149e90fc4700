package graph

import (
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// containers are the singletons under which Graph keeps most collections.
var containers = []string{"deviceManagement", "deviceAppManagement"}

// newModel is what $metadata says of the surface, and what answers are annotated by.
func newModel(routes []route, forms *catalog.Forms) *odata.Model {
	types, enums := formTypes(forms)
	types, enums = asGraphHas(slices.Concat(deviceTypes(), catalogTypes(forms), types,
		policyTypes(forms), accessTypes(), recordTypes()), append(schemaEnums(), enums...))
	d := odata.Definition{
		Types:      types,
		Enums:      enums,
		Containers: containers,
		Unlisted:   map[string]odata.TypeName{"users": "user"},
		Vocabulary: graphTerm,
	}
	for i := range routes {
		d.Operations = append(d.Operations, routes[i].operation)
	}
	return odata.NewModel(d)
}

// newOperation is what the protocol needs to know of a route.
func newOperation(rt *route) *odata.Operation {
	o := &odata.Operation{
		Method:     rt.method,
		Pattern:    rt.pattern,
		Answers:    rt.answers,
		Unchanging: rt.unchanging,
		Signature:  rt.signature(),
	}
	if r := rt.resource; r != nil {
		o.Set = rt.set()
		o.PartTagged = r.device // its entity tag is that of its set
		o.Casts = r.casts || rt.casts
		if rt.verb == nil || rt.verb.edits {
			o.Takes, o.SetByServer = r.odataType, r.setByServer
		}
	}
	if v := rt.verb; v != nil {
		o.List = v.many
		o.Conditional = v.conditional && rt.resource.tagged
	}
	return o
}

// signature is what a route takes and returns, if it is an action or a function.
func (rt *route) signature() (s odata.Signature) {
	if rt.verb == nil {
		return s
	}
	for _, w := range []*wording{syncPayloads, changeAssignments} {
		if rt.verb.name == string(w.name) {
			item := odata.TypeName(strings.TrimPrefix(w.itemType, odata.GraphNamespace))
			s.Parameters = odata.Properties{{w.collection, odata.CollectionOf(item)}}
		}
	}
	switch rt.verb {
	case toGetCategories, toGetActivityTypes:
		return odata.Signature{Returns: odata.CollectionOf(odata.String)}
	case toHasCustomTag:
		return odata.Signature{Returns: odata.Boolean}
	case toGetTagsByID:
		return odata.Signature{Parameters: odata.Properties{{"roleScopeTagIds",
			odata.CollectionOf(odata.String)}}, Returns: odata.CollectionOf(rt.resource.odataType)}
	case toCopyPolicy:
		return odata.Signature{Parameters: odata.Texts("displayName", "description"),
			Returns: policies.odataType()}
	case toAssignTag:
		all := odata.CollectionOf(autoAssignmentType)
		return odata.Signature{Parameters: odata.Properties{{partAssignments, all}}, Returns: all}
	}
	for _, k := range payloadKinds() {
		if rt.verb.name == toAssign.name && rt.resource.name == k.set() {
			all := odata.CollectionOf(k.assignment())
			s.Parameters = odata.Properties{{k.of.Assignments, all}}
			if k.of.Echo {
				s.Returns = all
			}
		}
	}
	return s
}
