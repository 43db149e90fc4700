package graph

import (
	"encoding/json"
	"slices"
	"strings"
)

// annotator puts into an answer what its caller wants to be told of it, and takes out what they do not.
type annotator struct {
	*call
	knowsAll bool // the caller knows members behind unknownFutureValue
}

// object treats an object of a type, or of one that derives from it, in a collection; empty: it is a part of another.
func (a *annotator) object(o *object, declared *schemaType, set string) {
	if name, ok := o.values["@odata.type"].(string); ok {
		if t := graphSchema.lookup(name); t != nil {
			declared = t
		}
	}
	for _, name := range slices.Clone(o.names) {
		if isAnnotation(name) {
			continue
		}
		element, many := graphSchema.property(declared, name).element()
		o.values[name] = a.value(o.values[name], element)
		if a.format.metadata == metadataFull && annotatedType(element, many) && o.values[name] != nil {
			o.insert(name+"@odata.type", "#"+shortType(element, many), slices.Index(o.names, name))
		}
	}
	a.annotations(o)
	if a.format.metadata == metadataFull && declared != nil {
		a.identify(o, declared, set)
	}
}

// value treats a value, or the elements of a collection.
func (a *annotator) value(v any, of typeName) any {
	switch v := v.(type) {
	case *object:
		a.object(v, graphSchema.types[of], "")
	case []any:
		for i := range v {
			v[i] = a.value(v[i], of)
		}
	case json.Number:
		if a.format.longText && of == edmInt64 {
			return v.String()
		}
	case string:
		if e := graphSchema.enums[of]; e != nil && !a.knowsAll {
			return e.known(v)
		}
	}
	return v
}

// annotations takes out of an object what odata.metadata=none leaves out: all but the links and counts of lists.
func (a *annotator) annotations(o *object) {
	if a.format.metadata != metadataNone {
		return
	}
	o.names = slices.DeleteFunc(o.names, func(name string) bool {
		return isAnnotation(name) && name != "@odata.nextLink" && name != "@odata.count"
	})
}

// identify adds what odata.metadata=full has: the object's type, and of an entity its links.
func (a *annotator) identify(o *object, t *schemaType, set string) {
	i := slices.Index(o.names, "@odata.context") + 1
	if _, ok := o.values["@odata.type"]; !ok {
		o.insert("@odata.type", "#"+qualified(t.name), i)
	}
	id, ok := o.values["id"].(string)
	if !ok || !t.entity || !slices.Contains(a.models[a.version()].readable, set) {
		return
	}
	i = slices.Index(o.names, "@odata.type") + 1
	url := a.base() + a.version() + a.placed(set)
	if a.types[set] != "applePushNotificationCertificate" {
		url += "/" + id
	}
	o.insert("@odata.id", url, i)
	link := "@odata.readLink"
	if slices.Contains(a.models[a.version()].writable, set) {
		link = "@odata.editLink"
	}
	o.insert(link, url, i+1)
	for _, r := range a.models[a.version()].relations {
		if r.of != "" && graphSchema.is(t, r.of) {
			o.insert(r.name+"@odata.navigationLink", url+"/"+r.name, len(o.names))
		}
	}
}

// placed is the path of a collection with the ids of the call's path that lead to it.
func (a *annotator) placed(set string) string {
	pattern := strings.Split(strings.TrimPrefix(a.route.pattern, a.version()), "/")
	path := strings.Split(strings.TrimPrefix(a.r.URL.Path, a.version()), "/")
	for i := range pattern {
		if strings.Join(slices.DeleteFunc(slices.Clone(pattern[:i+1]), isKey), "/") == set && !isKey(pattern[i]) {
			return strings.Join(path[:i+1], "/")
		}
	}
	return set
}

// annotatedType reports whether JSON alone does not tell a value's type (OData JSON format 4.0, section 4.5.3).
func annotatedType(of typeName, many bool) bool {
	switch of {
	case "", edmDouble:
		return false
	case edmString, edmBoolean:
		return many
	default:
		return many || graphSchema.types[of] == nil
	}
}

// shortType is a type as annotations name it: without Edm.
func shortType(element typeName, many bool) string {
	name := strings.TrimPrefix(qualified(element), "Edm.")
	if many {
		return "Collection(" + name + ")"
	}
	return name
}
