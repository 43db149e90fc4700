package graph

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/graph/model"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// shape is what a type of Graph's is served with: what this server works out, and the rest of what
// Graph's type has, which nobody knows here. That is null, empty, or what Graph shows of who has
// none.
type shape struct {
	of           string
	rest         []model.PropertyInfo
	beta, stable view
}

// view is a shape as a version has it.
type view struct {
	names []string     // that $select may name
	rest  odata.Fields // what nobody knows, one by one
	whole odata.Fields // the same at once, or nothing
}

// newShape is the shape of a type, of which these properties are worked out. What Graph's type does
// not have of them is this server's own, and in each version.
func newShape(of string, served odata.Properties) *shape {
	s := &shape{of: of}
	known := served.Names()
	for _, name := range known {
		s.beta.names = append(s.beta.names, name)
		if p, ok := model.Property(of, name); !ok || p.Stable {
			s.stable.names = append(s.stable.names, name)
		}
	}
	for _, p := range model.Properties(of) {
		if p.Navigation || slices.Contains(known, p.Name) {
			continue
		}
		s.rest = append(s.rest, p)
		s.beta.lack(of, p)
		if p.Stable {
			s.stable.lack(of, p)
		}
	}
	s.beta.finish()
	s.stable.finish()
	return s
}

// lack adds a property that nobody knows.
func (v *view) lack(of string, p model.PropertyInfo) {
	v.names = append(v.names, p.Name)
	v.rest = append(v.rest, odata.Field{p.Name, lacking(of, p)})
}

func (v *view) finish() {
	if len(v.rest) > 0 {
		v.whole = odata.Fields{odata.NewConstants(v.rest).Field()}
	}
}

// view is how the version that is called has a shape.
func (c *call) view(s *shape) *view {
	if c.req.Version() == odata.StablePath {
		return &s.stable
	}
	return &s.beta
}

// selected reads $select of things of a shape.
func (c *call) selected(s *shape) ([]string, error) { return c.req.Selected(c.view(s).names) }

// filled is an object with the selected properties that nobody knows. It has the others already.
func (c *call) filled(s *shape, object odata.Fields, selected []string) odata.Fields {
	v := c.view(s)
	if isWhole(selected, v.names) {
		return append(object, v.whole...)
	}
	return append(object, v.rest.Pick(selected)...)
}

// isWhole reports whether what is selected is all there is, as it is without $select.
func isWhole(selected, all []string) bool {
	return len(selected) == len(all) && len(all) > 0 && &selected[0] == &all[0]
}

// shown is an object of a shape: what is selected of what is worked out, and of the rest.
func (c *call) shown(s *shape, worked odata.Fields, selected []string) odata.Fields {
	return c.filled(s, worked.Pick(selected), selected)
}

// pickedOf is what is selected of a whole object that begins with its type.
func pickedOf(whole odata.Fields, selected []string) odata.Fields {
	return append(whole[:1:1], whole[1:].Pick(selected)...)
}

// complete lets a listing take what nobody knows, as what all things have alike.
func (s *shape) complete(l *odata.Listing) *odata.Listing {
	if l.Orders == nil {
		l.Orders = make(map[string]query.Field)
	}
	for _, p := range s.rest {
		if _, ok := l.Filters[p.Name]; !ok {
			l.Filters[p.Name] = fixedComparer(s.of, p)
		}
		if _, ok := l.Orders[p.Name]; !ok && isOrdered(p) {
			l.Orders[p.Name] = ""
		}
	}
	return l
}

// isOrdered reports whether things can be in the order of a property.
func isOrdered(p model.PropertyInfo) bool {
	t, ok := model.Type(p.Type)
	return !p.Collection && (!ok || t.Kind == model.Enumeration)
}

// sameOrders lets $orderby name properties that are the same for all things.
func sameOrders(l *odata.Listing, names ...string) {
	for _, name := range names {
		if _, ok := l.Orders[name]; !ok {
			l.Orders[name] = ""
		}
	}
}

// fixedComparer says how $filter compares a property that is the same for all.
func fixedComparer(of string, p model.PropertyInfo) odata.Comparer {
	t, declared := model.Type(p.Type)
	switch value := lacking(of, p).(type) {
	case bool:
		return odata.ConstField(value)
	case int64:
		return odata.FixedNumber(value)
	case string:
		if !declared && p.Type == string(odata.String) {
			return odata.FixedField(value)
		}
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return odata.FixedTime(at)
		}
		if declared {
			members := map[string]query.Condition{value: query.All{}}
			for _, m := range t.Members {
				if m.Name != value {
					members[m.Name] = query.Any{}
				}
			}
			return odata.ChoiceField(members)
		}
	case nil:
		if !declared && p.Type == string(odata.String) {
			return odata.FixedField("")
		}
	}
	if p.Collection && p.Type == string(odata.String) {
		return odata.EmptyField{}
	}
	return odata.UnknownField{}
}

// noTime is how Graph shows a time that never was, where there must be one.
const noTime = "0001-01-01T00:00:00Z"

// shownAs are properties that are the same for all things, and not what their type has for none.
var shownAs = map[string]any{
	"managedDevice.complianceGracePeriodExpirationDateTime": "9999-12-31T23:59:59Z",
	"managedDevice.exchangeAccessState":                     "none",
	"mobileApp.publishingState":                             "published",
	"deviceConfiguration.supportsScopeTags":                 true,
}

// lacking is what is shown of a property that nobody knows: null, or where Graph always has a value
// that of nothing.
func lacking(of string, p model.PropertyInfo) any {
	for t, ok := model.Type(of); ok; t, ok = model.Type(t.Base) {
		if value, found := shownAs[t.Name+"."+p.Name]; found {
			return value
		}
	}
	switch {
	case p.Collection:
		return []string{}
	case p.Nullable:
		return nil
	}
	if t, ok := model.Type(p.Type); ok {
		return lackingOf(t)
	}
	switch odata.TypeName(p.Type) {
	case odata.Boolean:
		return false
	case odata.Int32, odata.Int64, odata.Double, "Single", "Byte":
		return int64(0)
	case odata.DateTime:
		return noTime
	case odata.GUID:
		return uuid.Nil.String()
	case "Duration":
		return "PT0S"
	default:
		return ""
	}
}

// lackingOf is the member of an enumeration that says nothing, or an object of nothing.
func lackingOf(t *model.TypeInfo) any {
	if t.Kind == model.Enumeration {
		for _, name := range []string{"unknown", "none", "notConfigured"} {
			if slices.ContainsFunc(t.Members,
				func(m model.Member) bool { return m.Name == name }) {
				return name
			}
		}
		return t.Members[0].Name
	}
	f := odata.Fields{}
	for _, p := range model.Properties(t.Name) {
		f = append(f, odata.Field{p.Name, lacking(t.Name, p)})
	}
	return f
}
