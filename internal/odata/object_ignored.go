package odata

import (
	"encoding/json"
	"slices"
	"strings"
)

// What Microsoft Graph takes of a body and what says nothing to the server is one rule for every
// body. Taken and not obeyed are annotations and bound actions, wherever they are, in the body
// itself properties that only the server sets, whatever their values, and properties of the type
// that say nothing: null, empty, or what they are by default. What would be lost is refused by its
// name.

// Vocabulary tells of a property of one of Graph's types, whether the server keeps it or not; false
// if the type, which is given without its namespace, has none of exactly that name.
type Vocabulary func(of TypeName, property string) (Term, bool)

// Term is a property that a vocabulary knows.
type Term struct {
	Of       TypeName // its type
	Defaults []string // texts and members that say nothing
}

// isAnnotation reports whether a name is an annotation of OData's or Graph's (@odata.type,
// members@odata.bind, @microsoft.graph.tips), or a bound action or function (#microsoft.graph.name;
// OData JSON format 4.0, section 16).
func isAnnotation(name string) bool {
	return strings.HasPrefix(name, "#") || strings.Contains(name, "@")
}

// isBinding reports whether a name is a reference to what there is already (members@odata.bind).
// Left to be an annotation, one that is not known would be ignored without a word.
func isBinding(name string) bool { return strings.HasSuffix(name, "@odata.bind") }

// saysNothing reports whether a name is an annotation that the server does not look at: all but
// types, ids and references.
func saysNothing(name string) bool {
	return isAnnotation(name) && name != "@odata.type" && name != "@odata.id" && !isBinding(name)
}

// leaveSetByServer takes out of a body what only the server sets.
func (o *Object) leaveSetByServer(names []string) {
	o.Names = slices.DeleteFunc(o.Names, func(name string) bool {
		ignored := slices.Contains(names, name)
		if ignored {
			delete(o.Values, name)
		}
		return ignored
	})
}

// Only refuses properties that are not among the known ones, unless they are of Graph's type and
// say nothing.
func (o *Object) Only(known ...string) error {
	for _, name := range o.Names {
		if slices.Contains(known, name) || isAnnotation(name) && !isBinding(name) {
			continue
		}
		term, ok := o.term(name)
		switch {
		case !ok:
			return BadRequest(o.At(name), "Property '%s' is not known here.", o.At(name))
		case !isEmpty(o.Values[name], term.Defaults):
			return BadRequest(o.At(name), "Property '%s' is Graph's, and this server does not keep it: "+
				"its value would be lost. Leave it out.", o.At(name))
		}
	}
	return nil
}

// Is says of which type the object is, where the body itself need not say it.
func (o *Object) Is(of TypeName) { o.of = of }

// term is a property as Graph has it of the object's type.
func (o *Object) term(name string) (Term, bool) {
	root := o
	for root.parent != nil {
		root = root.parent
	}
	if root.vocabulary == nil {
		return Term{}, false
	}
	return root.vocabulary(o.typeIn(root.vocabulary), name)
}

// typeIn is the object's type: what it says itself, or what the property is of that has it; empty:
// nobody knows.
func (o *Object) typeIn(v Vocabulary) TypeName {
	if o.of != "" {
		return o.of
	}
	if own, ok := o.Values["@odata.type"].(string); ok {
		if name, ok := withoutNamespace(strings.TrimPrefix(own, "#")); ok {
			return TypeName(name)
		}
	}
	if o.parent == nil {
		return o.declared
	}
	var of TypeName
	taken := o.parent.signature.Parameters
	if i := slices.Index(taken.Names(), o.property); i >= 0 {
		of, _ = taken[i].Of.element()
	} else {
		term, _ := v(o.parent.typeIn(v), o.property)
		of, _ = term.Of.element()
	}
	o.of = of
	return of
}

// isEmpty reports whether a value says nothing: null, false, zero, an empty text or a default, or a
// collection or object with nothing in it that says more.
func isEmpty(v any, defaults []string) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == "" || slices.Contains(defaults, v)
	case json.Number:
		n, err := v.Float64()
		return err == nil && n == 0
	case []any:
		return len(v) == 0
	case *Object:
		return !slices.ContainsFunc(v.Names, func(name string) bool {
			term, _ := v.term(name)
			return !isAnnotation(name) && !isEmpty(v.Values[name], term.Defaults)
		})
	default:
		return false
	}
}
