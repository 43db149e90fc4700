package main

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/graph/model"
)

// typeInfo is a type, and what the source says of it beside its facts.
type typeInfo struct {
	model.TypeInfo
	// unnumbered says that the source does not tell the numbers of members.
	unnumbered bool
}

// schema has types by their names.
type schema map[string]*typeInfo

// addMissing adds a type of beta that no earlier source has.
func (s schema) addMissing(t *typeInfo) {
	if s[t.Name] == nil {
		s[t.Name] = t
	}
}

// addStable says what v1.0 has of a type. Of what it has the document of v1.0 knows what the other
// sources of beta may not: whether a type is abstract or open, and the numbers of members.
func (s schema) addStable(t *typeInfo) {
	known := s[t.Name]
	if known == nil {
		return // v1.0 has types that beta has under another name
	}
	known.Stable = true
	known.Abstract = known.Abstract || t.Abstract
	known.Open = known.Open || t.Open
	for i := range known.Properties {
		p := &known.Properties[i]
		at := slices.IndexFunc(t.Properties,
			func(q model.PropertyInfo) bool { return q.Name == p.Name })
		p.Stable = at >= 0
	}
	for i := range known.Members {
		m := &known.Members[i]
		at := slices.IndexFunc(t.Members, func(n model.Member) bool { return n.Name == m.Name })
		m.Stable = at >= 0
		if m.Stable && known.unnumbered {
			m.Value = t.Members[at].Value
		}
	}
}

// choose finds the wanted types, and all that they derive from or have as properties. Each line of
// the choice is a pattern of names, such as `deviceManagementConfiguration*`, or `mobileApp > ios*`
// for those that derive from a type.
func (s schema) choose(choice string) ([]string, error) {
	chosen := make(map[string]bool)
	var add func(name string)
	add = func(name string) {
		t := s[name]
		if t == nil || chosen[name] {
			return
		}
		chosen[name] = true
		add(t.Base)
		for _, p := range t.Properties {
			if !p.Navigation {
				add(p.Type)
			}
		}
	}
	for line := range strings.Lines(choice) {
		line, _, _ = strings.Cut(line, "#")
		base, pattern, derived := strings.Cut(strings.TrimSpace(line), ">")
		base, pattern = strings.TrimSpace(base), strings.TrimSpace(pattern)
		if base == "" {
			continue
		}
		if !derived {
			base, pattern = "", base
		}
		found := false
		for name := range s {
			fits, err := path.Match(pattern, name)
			if err != nil {
				return nil, fmt.Errorf("pattern %q: %w", pattern, err)
			}
			if fits && (base == "" || s.derives(name, base)) {
				add(name)
				found = true
			}
		}
		if !found {
			return nil, fmt.Errorf("no type fits %q", strings.TrimSpace(line))
		}
	}
	return slices.SortedFunc(maps.Keys(chosen), func(a, b string) int {
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	}), nil
}

// derives reports whether a type derives from another.
func (s schema) derives(name, base string) bool {
	for t := s[name]; t != nil; t = s[t.Base] {
		if t.Base == base {
			return true
		}
	}
	return false
}

const head = `# Microsoft Graph's own types, as its public metadata has them. Written by generate; edit nothing here.
#
# A line is a type: its kind, its name, ":" and the type that it derives from, abstract or open; or of
# an enumeration its members and their numbers, where the source tells them. A line that begins with a space is a property of the
# type before it and its type: "?" can be null, "[]" is a collection, ">" leads to other things.
# "*" ends what v1.0 has, too.
`

// table is the text of the types of these names.
func (s schema) table(names []string) []byte {
	b := bytes.NewBufferString(head)
	for _, name := range names {
		t := s[name]
		b.WriteString(kindWord(t) + " " + t.Name)
		if t.Base != "" {
			b.WriteString(" :" + t.Base)
		}
		if t.Abstract {
			b.WriteString(" abstract")
		}
		if t.Open {
			b.WriteString(" open")
		}
		if t.Stable {
			b.WriteString(" *")
		}
		for _, m := range t.Members {
			b.WriteString(" " + m.Name)
			if !t.unnumbered || m.Stable {
				fmt.Fprintf(b, "=%d", m.Value)
			}
			b.WriteString(mark(m.Stable))
		}
		b.WriteByte('\n')
		for _, p := range t.Properties {
			b.WriteString(" " + p.Name + " " + p.Type)
			if p.Collection {
				b.WriteString("[]")
			}
			if p.Nullable {
				b.WriteString("?")
			}
			if p.Navigation {
				b.WriteString(" >")
			}
			if p.Stable {
				b.WriteString(" *")
			}
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func kindWord(t *typeInfo) string {
	switch {
	case t.Kind == model.Entity:
		return "entity"
	case t.Kind == model.Complex:
		return "complex"
	case t.Flags:
		return "flags"
	default:
		return "enum"
	}
}

func mark(stable bool) string {
	if stable {
		return "*"
	}
	return ""
}
