package odata

import (
	"slices"
	"strings"
)

// narrowing is which properties $expand wants of the things that it shows, and of those that it
// shows of them. The nil narrowing leaves out nothing.
type narrowing struct {
	selected []string              // nil: all
	inner    map[string]*narrowing // of what is shown of them, by the relationship
	leaves   bool                  // something is left out, at any depth
}

// add says how the things of a relationship are narrowed.
func (n *narrowing) add(relation string, by *narrowing) {
	if n.inner == nil {
		n.inner = make(map[string]*narrowing)
	}
	n.inner[relation] = by
	n.leaves = n.leaves || by.leaves
}

// answer narrows what is shown of the relationships of a thing, or of the things of a page.
func (n *narrowing) answer(body Fields) Fields {
	if n == nil || !n.leaves {
		return body
	}
	for i, f := range body {
		if page, ok := f.Value.([]Fields); ok && f.Name == "value" {
			body = slices.Clone(body)
			body[i].Value = n.value(page)
			return body
		}
	}
	return n.object(body)
}

func (n *narrowing) value(v any) any {
	switch v := v.(type) {
	case Fields:
		return n.object(v)
	case []Fields:
		list := make([]Fields, len(v))
		for i := range v {
			list[i] = n.object(v[i])
		}
		return list
	default:
		return v
	}
}

// object is a thing with what is wanted of it. Annotations stay with what they are of.
func (n *narrowing) object(f Fields) Fields {
	kept := make(Fields, 0, len(f))
	for _, p := range f.expanded() {
		of, _, _ := strings.Cut(p.Name, "@")
		inner := n.inner[of]
		if n.selected != nil && of != "" && inner == nil && !slices.Contains(n.selected, of) {
			continue
		}
		if inner != nil && of == p.Name {
			p.Value = inner.value(p.Value)
		}
		kept = append(kept, p)
	}
	return kept
}
