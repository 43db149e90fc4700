package graph

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/graph/model"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// graphTerm tells the protocol of a property of one of Graph's types. Bodies that were read from
// Graph, or are written for it, have many that are not kept here. What is shown of those here says
// nothing, and neither does the first member of an enumeration.
func graphTerm(of odata.TypeName, property string) (odata.Term, bool) {
	if t, ok := unpublished[string(of)+"."+property]; ok {
		return t, true
	}
	p, ok := model.Property(string(of), property)
	if !ok || p.Name != property {
		return odata.Term{}, false
	}
	t := odata.Term{Of: odata.TypeName(p.Type)}
	if p.Collection {
		t.Of = odata.CollectionOf(t.Of)
	}
	if shown, ok := lacking(string(of), p).(string); ok {
		t.Defaults = append(t.Defaults, shown)
	}
	if e, ok := model.Type(p.Type); ok && e.Kind == model.Enumeration {
		i := slices.IndexFunc(e.Members, func(m model.Member) bool { return m.Value == 0 })
		if i >= 0 {
			t.Defaults = append(t.Defaults, e.Members[i].Name)
		}
	}
	return t, true
}

// unpublished are properties that Graph answers with and its metadata does not have.
var unpublished = map[string]odata.Term{
	"group.creationOptions": {Of: odata.CollectionOf(odata.String)},
}
