package odata

import (
	"slices"
	"strings"
)

// What exporters and clients give back with what they have read, and what says nothing to the
// server, is one rule for every body (Microsoft Graph takes it, too): annotations and bound
// actions, wherever they are, and in the body itself properties that only the server sets, whatever
// their values.

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

// leaveIgnored takes out of a body what the operation ignores.
func (o *Object) leaveIgnored(op *Operation) {
	o.Names = slices.DeleteFunc(o.Names, func(name string) bool {
		ignored := slices.Contains(op.SetByServer, name) ||
			slices.Contains(op.SetElsewhere, name) && isEmpty(o.Values[name])
		if ignored {
			delete(o.Values, name)
		}
		return ignored
	})
}

// isEmpty reports whether a value says nothing: null, or a collection or object without anything in
// it.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case *Object:
		return len(v.Names) == 0
	default:
		return false
	}
}
