package odata

import (
	"encoding/json"
	"slices"
	"strings"
)

// annotator puts into an answer what its caller wants to be told of it, and takes out what they do
// not.
type annotator struct {
	request  *Request
	schema   *schema
	format   format
	knowsAll bool // the caller knows members after unknownFutureValue
}

// annotate treats an object of a type, or of one that derives from it. Set is that of the object;
// empty: it is a part of another.
func (a *annotator) annotate(o *Object, declared *Type, set string) {
	if name, ok := o.Values["@odata.type"].(string); ok {
		if t := a.schema.lookup(name); t != nil {
			declared = t
		}
	}
	for _, name := range slices.Clone(o.Names) {
		if isAnnotation(name) {
			continue
		}
		element, many := a.schema.property(declared, name).element()
		o.Values[name] = a.value(o.Values[name], element)
		typed := a.format.metadata == metadataFull && a.needsType(element, many)
		if typed && o.Values[name] != nil {
			o.insert(name+"@odata.type", "#"+shortType(element, many), slices.Index(o.Names, name))
		}
	}
	a.leaveOut(o)
	if a.format.metadata == metadataFull && declared != nil {
		a.identify(o, declared, set)
	}
}

// value treats a value, or the elements of a collection.
func (a *annotator) value(v any, of TypeName) any {
	switch v := v.(type) {
	case *Object:
		a.annotate(v, a.schema.types[of], "")
	case []any:
		for i := range v {
			v[i] = a.value(v[i], of)
		}
	case json.Number:
		if a.format.longText && of == Int64 {
			return v.String()
		}
	case string:
		if e := a.schema.enums[of]; e != nil && !a.knowsAll {
			return e.known(v)
		}
	}
	return v
}

// leaveOut takes out of an object what odata.metadata=none leaves out: all annotations but the
// links and counts of lists.
func (a *annotator) leaveOut(o *Object) {
	if a.format.metadata != metadataNone {
		return
	}
	o.Names = slices.DeleteFunc(o.Names, func(name string) bool {
		return isAnnotation(name) && name != "@odata.nextLink" && name != "@odata.count"
	})
}

// identify adds what odata.metadata=full has: the object's type, and of an entity its links.
func (a *annotator) identify(o *Object, t *Type, set string) {
	i := slices.Index(o.Names, "@odata.context") + 1
	if _, ok := o.Values["@odata.type"]; !ok {
		o.insert("@odata.type", "#"+Qualified(t.Name), i)
	}
	offered := a.request.service.model.offers[a.request.Version()]
	id, ok := o.Values["id"].(string)
	if !ok || !t.Entity || !slices.Contains(offered.readable, set) {
		return
	}
	i = slices.Index(o.Names, "@odata.type") + 1
	url := a.request.URL(a.request.pathOf(set))
	if !slices.Contains(offered.single, set) {
		url += "/" + id
	}
	o.insert("@odata.id", url, i)
	link := "@odata.readLink"
	if slices.Contains(offered.writable, set) {
		link = "@odata.editLink"
	}
	o.insert(link, url, i+1)
	for _, r := range offered.relations {
		if r.of != "" && a.schema.is(t, r.of) {
			o.insert(r.name+"@odata.navigationLink", url+"/"+r.name, len(o.Names))
		}
	}
}

// pathOf is the path of a set with those keys of the request's path that lead to it.
func (r *Request) pathOf(set string) string {
	pattern := strings.Split(strings.TrimPrefix(r.Operation.Pattern, r.Version()), "/")
	path := strings.Split(strings.TrimPrefix(r.HTTP.URL.Path, r.Version()), "/")
	for i := range pattern {
		if !isKey(pattern[i]) && joinWithoutKeys(pattern[:i+1]) == set {
			return strings.Join(path[:i+1], "/")
		}
	}
	return set
}

// needsType reports whether JSON alone does not tell a value's type (OData JSON format 4.0, section
// 4.5.3).
func (a *annotator) needsType(of TypeName, many bool) bool {
	switch of {
	case "", Double:
		return false
	case String, Boolean:
		return many
	default:
		return many || a.schema.types[of] == nil
	}
}

// shortType is a type as annotations name it: without Edm.
func shortType(element TypeName, many bool) string {
	name := strings.TrimPrefix(Qualified(element), "Edm.")
	if many {
		return "Collection(" + name + ")"
	}
	return name
}
