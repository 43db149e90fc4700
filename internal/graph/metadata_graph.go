package graph

import (
	"maps"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/graph/model"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// asGraphHas makes of the types that the surface is served with, whose tables have what is worked
// out here, the types of $metadata. What Graph has is as its own metadata tells it: bases,
// properties, whether they can be null, and members. What it does not have is marked as the
// server's own.
func asGraphHas(types []*odata.Type, enums []*odata.Enum) ([]*odata.Type, []*odata.Enum) {
	d := &declarations{types: make(map[odata.TypeName]*odata.Type),
		enums: make(map[odata.TypeName]*odata.Enum)}
	for _, t := range types {
		d.types[t.Name] = t
	}
	for _, e := range enums {
		d.enums[e.Name] = e
	}
	for _, t := range types {
		d.declare(t)
	}
	for _, e := range enums {
		d.declareEnum(e)
	}
	// what properties and bases have comes along
	for i := 0; i < len(d.order); i++ {
		d.need(string(d.order[i].Base))
		for _, p := range d.order[i].Properties {
			d.need(strings.TrimSuffix(string(p.Of), "[]"))
		}
	}
	d.keepInStable()
	return d.order, slices.SortedFunc(maps.Values(d.enums), func(a, b *odata.Enum) int {
		return strings.Compare(string(a.Name), string(b.Name))
	})
}

// keepInStable lets v1.0 declare what its answers have: types that derive from one of v1.0's, and
// what is in the properties that it has.
func (d *declarations) keepInStable() {
	for _, t := range d.order {
		if base := d.types[t.Base]; base != nil && base.Name != "entity" &&
			!base.Facts[""].BetaOnly {
			delete(t.Facts, "")
		}
	}
	for kept := true; kept; {
		kept = false
		for _, t := range d.order {
			if t.Facts[""].BetaOnly {
				continue
			}
			for _, p := range t.Properties {
				of := odata.TypeName(strings.TrimSuffix(string(p.Of), "[]"))
				if t.Facts[p.Name].BetaOnly {
					continue
				}
				if inner := d.types[of]; inner != nil && inner.Facts[""].BetaOnly {
					delete(inner.Facts, "")
					kept = true
				}
				if e := d.enums[of]; e != nil && e.Facts[""].BetaOnly {
					e.Facts = nil // v1.0 has no members of its own
				}
			}
		}
	}
}

// declarations are the types of $metadata as they become known.
type declarations struct {
	types map[odata.TypeName]*odata.Type
	enums map[odata.TypeName]*odata.Enum
	order []*odata.Type
}

// need adds a type of Graph's that nothing here works out.
func (d *declarations) need(name string) {
	t, ok := model.Type(name)
	if !ok || d.types[odata.TypeName(name)] != nil || d.enums[odata.TypeName(name)] != nil {
		return
	}
	if t.Kind == model.Enumeration {
		e := &odata.Enum{Name: odata.TypeName(t.Name)}
		d.enums[e.Name] = e
		d.declareEnum(e)
		return
	}
	added := &odata.Type{Name: odata.TypeName(t.Name)}
	d.types[added.Name] = added
	d.declare(added)
}

// declare turns a type that is served into Graph's.
func (d *declarations) declare(t *odata.Type) {
	d.order = append(d.order, t)
	if strings.HasPrefix(string(t.Name), odata.OwnNamespace) {
		return
	}
	t.Facts = make(map[string]odata.Fact)
	known, ok := model.Type(string(t.Name))
	if !ok {
		if !isContainer(t.Name) {
			t.Facts[""] = odata.Fact{Own: true}
		}
		return
	}
	t.Base, t.Open = odata.TypeName(known.Base), known.Open
	t.Entity, t.Abstract = known.Kind == model.Entity, known.Abstract
	t.Facts[""] = odata.Fact{BetaOnly: !known.Stable}
	worked := t.Properties.Names()
	for base := d.types[t.Base]; base != nil; base = d.types[base.Base] {
		worked = append(worked, base.Properties.Names()...)
	}
	var all odata.Properties
	for _, p := range known.Properties {
		if p.Navigation {
			continue
		}
		all = append(all, odata.Property{p.Name, typeOf(p)})
		same := !slices.Contains(worked, p.Name)
		t.Facts[p.Name] = odata.Fact{NotNull: !p.Nullable, Same: same,
			BetaOnly: !p.Stable && (same || t.Entity && !isAssignment(t.Name))}
	}
	for _, p := range t.Properties {
		if _, ok := model.Property(string(t.Name), p.Name); !ok && !derivedHas(known.Name, p.Name) {
			all = append(all, p)
			t.Facts[p.Name] = odata.Fact{Own: true}
		}
	}
	t.Properties = all
}

// derivedHas reports whether Graph declares a property in a type that derives from one.
func derivedHas(base, property string) bool {
	return slices.ContainsFunc(model.Names(), func(name string) bool {
		if !model.Is(name, base) {
			return false
		}
		_, ok := model.Property(name, property)
		return ok
	})
}

// isAssignment reports whether a type is that of assignments of payloads, which are shown alike in
// each version.
func isAssignment(name odata.TypeName) bool {
	return slices.ContainsFunc(payloadKinds(),
		func(k *payloadKind) bool { return k.assignment() == name })
}

// isContainer reports whether a type is a singleton that only holds collections.
func isContainer(name odata.TypeName) bool { return slices.Contains(containers, string(name)) }

// declareEnum turns an enumeration that is served into Graph's.
func (d *declarations) declareEnum(e *odata.Enum) {
	e.Facts = make(map[string]odata.Fact)
	known, ok := model.Type(string(e.Name))
	if !ok {
		e.Facts[""] = odata.Fact{Own: true}
		return
	}
	e.Flags = known.Flags
	e.Facts[""] = odata.Fact{BetaOnly: !known.Stable}
	var all []odata.EnumMember
	for _, m := range known.Members {
		all = append(all, odata.EnumMember{Name: m.Name, Value: m.Value})
		e.Facts[m.Name] = odata.Fact{BetaOnly: !m.Stable}
	}
	for _, m := range e.Members {
		if !slices.ContainsFunc(known.Members,
			func(of model.Member) bool { return of.Name == m.Name }) {
			all = append(all, m)
			e.Facts[m.Name] = odata.Fact{Own: true}
		}
	}
	e.Members = all
}

// typeOf is the type of a property of Graph's, as $metadata has it.
func typeOf(p model.PropertyInfo) odata.TypeName {
	if p.Collection {
		return odata.CollectionOf(odata.TypeName(p.Type))
	}
	return odata.TypeName(p.Type)
}
