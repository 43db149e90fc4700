package odata

import (
	"slices"
	"strings"
)

// What $expand may ask for at once.
const (
	mostExpansions   = 20 // relationships, of any depth
	deepestExpansion = 3  // relationships within each other
)

// expandItem is one relationship that $expand names.
type expandItem struct {
	name     string
	selected []string // of its things; nil: all
	inner    []expandItem
}

func badExpand(format string, args ...any) *Fault {
	return BadRequest(OptionExpand, "Query option '$expand' is not valid: "+format, args...)
}

// parseExpand reads the value of $expand (OData URL conventions 4.0, section 5.1.2): relationships,
// each with options for its things in parentheses.
func parseExpand(text string, depth int) (items []expandItem, err error) {
	if len(text) > selectLengthLimit {
		return nil, badExpand("it is longer than %d bytes.", selectLengthLimit)
	}
	if depth > deepestExpansion {
		return nil, badExpand("it names more than %d relationships within each other.",
			deepestExpansion)
	}
	parts, err := splitOutside(text, ',')
	if err != nil {
		return nil, err
	}
	if len(parts) > mostExpansions {
		return nil, badExpand("it names more than %d relationships.", mostExpansions)
	}
	for _, part := range parts {
		item := expandItem{name: strings.TrimSpace(part)}
		if name, options, ok := strings.Cut(item.name, "("); ok {
			item.name = strings.TrimSpace(name)
			if options, ok = strings.CutSuffix(options, ")"); !ok {
				return nil, badExpand("something follows the parentheses at '%s'.", Clip(part))
			}
			if err := item.readOptions(options, depth); err != nil {
				return nil, err
			}
		}
		items = append(items, item)
	}
	return items, nil
}

// readOptions reads what is in the parentheses behind a relationship.
func (item *expandItem) readOptions(text string, depth int) error {
	parts, err := splitOutside(text, ';')
	if err != nil {
		return err
	}
	for _, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		name = strings.TrimPrefix(strings.TrimSpace(name), "$")
		switch {
		case SameName("$"+name, OptionSelect) && item.selected == nil:
			item.selected = []string{}
			for one := range strings.SplitSeq(value, ",") {
				item.selected = append(item.selected, strings.TrimSpace(one))
			}
		case SameName("$"+name, OptionExpand) && item.inner == nil:
			if item.inner, err = parseExpand(value, depth+1); err != nil {
				return err
			}
		default:
			return badExpand("within '%s' there can be $select and $expand, each once, and not '%s'.",
				Clip(item.name), Clip(part))
		}
	}
	return nil
}

// splitOutside splits a text at a separator that is outside of all parentheses.
func splitOutside(text string, separator byte) (parts []string, err error) {
	depth, from := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == separator && depth == 0:
			parts = append(parts, text[from:i])
			from = i + 1
		}
		if depth < 0 {
			break
		}
	}
	if depth != 0 {
		return nil, badExpand("its parentheses do not match at '%s'.", Clip(text))
	}
	return append(parts, text[from:]), nil
}

// Expansions reads $expand: which of the relationships are wanted, in the surface's own letters.
// One of a relationship's things has its path: settings/settingDefinitions. What $select within
// $expand leaves out is left out of the answer by Reply.
func (r *Request) Expansions(known ...string) (wanted []string, err error) {
	if !r.Options.Has(OptionExpand) {
		return nil, nil
	}
	items, err := parseExpand(r.Options.Get(OptionExpand), 1)
	if err != nil {
		return nil, err
	}
	var of TypeName
	if r.Operation != nil {
		of = r.Operation.Answers
	}
	e := &expander{request: r, known: known}
	r.narrowed, err = e.read(items, "", of)
	return e.wanted, err
}

// expander finds what $expand names among what the operation knows.
type expander struct {
	request *Request
	known   []string
	wanted  []string
}

// read reads relationships of things of a type, whose own path ends with a slash.
func (e *expander) read(items []expandItem, path string, of TypeName) (*narrowing, error) {
	n := &narrowing{}
	for _, item := range items {
		if item.name == "*" && item.selected == nil && item.inner == nil {
			e.wanted = append(e.wanted, e.direct(path)...)
			continue
		}
		name, mayBeMissing := e.request.uncast(item.name)
		own := ownName(e.direct(path), path+name)
		switch {
		case own == "" && mayBeMissing:
			continue // of a type that nothing here is of
		case own == "":
			return nil, badExpand("it can be %s, and not '%s'.", strings.Join(e.known, ", "),
				Clip(path+item.name))
		case slices.Contains(e.wanted, own):
			return nil, badExpand("it names '%s' twice.", own)
		}
		e.wanted = append(e.wanted, own)
		inner, err := e.readItem(item, own, of)
		if err != nil {
			return nil, err
		}
		n.add(own[len(path):], inner)
	}
	return n, nil
}

// readItem reads the options of a relationship.
func (e *expander) readItem(item expandItem, own string, of TypeName) (*narrowing, error) {
	var element TypeName
	if m := e.request.model(); m != nil {
		element, _ = m.relation(e.request.Version(), of, own[strings.LastIndexByte(own, '/')+1:])
	}
	n, err := e.read(item.inner, own+"/", element)
	if err != nil || item.selected == nil {
		return n, err
	}
	n = &narrowing{selected: []string{}, inner: n.inner, leaves: true}
	for _, name := range item.selected {
		switch property, ok := e.request.propertyOf(element, name); {
		case name == "*":
			return &narrowing{inner: n.inner, leaves: n.leaves}, nil
		case ok:
			n.selected = append(n.selected, property)
		case isControl(name):
		default:
			return nil, badExpand("'%s' has no property '%s'.", own, Clip(name))
		}
	}
	return n, nil
}

// direct are the relationships that are known of things with a path.
func (e *expander) direct(path string) (names []string) {
	for _, own := range e.known {
		if rest, ok := strings.CutPrefix(own, path); ok && !strings.Contains(rest, "/") {
			names = append(names, own)
		}
	}
	return names
}

// propertyOf is a property of a type, or of one that derives from it, in its own letters.
func (r *Request) propertyOf(of TypeName, name string) (string, bool) {
	m := r.model()
	if m == nil {
		return name, true
	}
	for _, t := range m.schema.related(of) {
		for _, p := range slices.Concat(t.Properties, t.Relations) {
			if SameName(name, p.Name) {
				return p.Name, true
			}
		}
	}
	return "", false
}
