package payload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// restrictions compiles androidDeviceOwnerGeneralDeviceConfiguration.
type restrictions struct{ compiler }

// Compile implements catalog.Compiler. It reads what settings.txt says.
func (restrictions) Compile(_ context.Context, _ *catalog.Form, d *catalog.Draft,
	_ catalog.Lookup) (*catalog.Content, error) {
	t := settings()
	if err := t.refuse(d.Properties); err != nil {
		return nil, err
	}
	f := Fragment{Kind: Settings, Fields: make(map[string]any)}
	weak := make(map[string]any) // what a false says, if nothing else sets the field
	for _, p := range t.properties {
		if err := p.read(d.Properties, f.Fields, weak); err != nil {
			return nil, err
		}
	}
	for path, value := range weak {
		if _, ok := f.Fields[path]; !ok {
			f.Fields[path] = value
		}
	}
	for _, check := range []func(catalog.Properties, map[string]any) error{checkUpdates, checkVPN,
		readKiosk, readScopes, readPersonalApps} {
		if err := check(d.Properties, f.Fields); err != nil {
			return nil, err
		}
	}
	if len(f.Fields) == 0 {
		return nil, &invalid.Input{Property: "properties", Reason: "set nothing on a device: " +
			"give at least one, such as cameraBlocked (docs/android-settings.md lists them)"}
	}
	return f.content(string(d.ID), "id", subTypeRestrictions), nil
}

// refuse refuses properties that set nothing, and were given a value that wants something.
func (t *settingTable) refuse(props catalog.Properties) error {
	for _, r := range t.refused {
		if !saysNothing(props, &r.Property) {
			return &invalid.Input{Property: r.Name, Reason: "cannot be kept: " + r.reason}
		}
	}
	return nil
}

// saysNothing reports whether a property has a value by which Graph says that nothing is set.
func saysNothing(props catalog.Properties, p *catalog.Property) bool {
	switch value := strings.TrimSpace(string(props[p.Name])); value {
	case "", "null", "false", "0", `""`, "[]":
		return true
	default:
		return len(p.Type.Members) > 0 && value == `"`+p.Type.Members[0]+`"`
	}
}

// read reads a property into the fields that it sets. Of several that set one field the first of
// the table counts.
func (p *settingProperty) read(props catalog.Properties, fields, weak map[string]any) error {
	if strings.Contains(p.field.path, "[]") || p.kind == "apps" { // see readKiosk and others
		return nil
	}
	value, err := p.value(props)
	if err != nil {
		return err
	}
	path := p.field.path
	if p.kind == "bool" && value == p.whenFalse && p.whenFalse != "" {
		weak[path] = value
		return nil
	}
	if value == nil {
		return nil
	}
	if p.part != "" {
		inside(fields, path)[p.part] = value
		return nil
	}
	if p.field.rule.name == "union" {
		if _, many := value.([]any); !many {
			value = []any{value}
		}
	}
	if _, ok := fields[path]; !ok {
		fields[path] = value
	}
	return nil
}

// value is what a property makes of its field; nil: nothing.
func (p *settingProperty) value(props catalog.Properties) (any, error) {
	switch {
	case p.kind == "bool":
		return p.boolean(props)
	case p.kind == "int":
		return p.number(props)
	case saysNothing(props, &p.Property):
		return nil, nil
	case p.kind == "enum":
		member, err := catalog.Read[string](props, p.Name, "a string")
		if err != nil {
			return nil, err
		}
		return p.member(p.Name, member)
	case p.kind == "enums":
		return p.members(props)
	default:
		return shapes[p.kind](props, p.Name)
	}
}

func (p *settingProperty) boolean(props catalog.Properties) (any, error) {
	on, err := catalog.Read[bool](props, p.Name, "a boolean")
	text := p.whenTrue
	if !on {
		text = p.whenFalse
	}
	switch {
	case err != nil || !props.Has(p.Name) || text == "":
		return nil, err
	case text == "true":
		return true, nil
	default:
		return text, nil
	}
}

// number reads a number, and writes it as Google does.
func (p *settingProperty) number(props catalog.Properties) (any, error) {
	n, err := catalog.Read[int64](props, p.Name, "an integer")
	if err != nil || !props.Has(p.Name) {
		return nil, err
	}
	if n < p.least || n > p.greatest {
		return nil, &invalid.Input{Property: p.Name,
			Reason: fmt.Sprintf("must be from %d to %d; it is %d", p.least, p.greatest, n)}
	}
	switch {
	case p.unit == "minutes":
		return fmt.Sprint(n * 60_000), nil
	case p.unit == "days":
		return fmt.Sprintf("%ds", n*86_400), nil
	case p.unit == "clock": // the last minute that Google knows is 23:59
		return min(n, 1439), nil
	case n == 0:
		return nil, nil // no restriction
	default:
		return n, nil
	}
}

// member is Google's value of Graph's member; the first member is nothing.
func (p *settingProperty) member(where, member string) (any, error) {
	if value := p.values[member]; value != "" {
		return value, nil
	}
	var known []string
	for _, m := range p.Type.Members[1:] {
		if p.values[m] != "" {
			known = append(known, m)
		}
	}
	reason := fmt.Sprintf("%.60q is none of %s, %s", member, p.Type.Members[0],
		strings.Join(known, ", "))
	if slices.Contains(p.Type.Members, member) {
		reason = fmt.Sprintf("%q cannot be kept: Android has nothing for it; give one of %s",
			member, strings.Join(known, ", "))
	}
	return nil, &invalid.Input{Property: where, Reason: reason}
}

func (p *settingProperty) members(props catalog.Properties) (any, error) {
	list, err := catalog.Read[[]string](props, p.Name, "a collection of strings")
	if err != nil {
		return nil, err
	}
	var all []any
	for i, member := range list {
		if member == p.Type.Members[0] {
			continue
		}
		value, err := p.member(fmt.Sprintf("%s[%d]", p.Name, i), member)
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	if all == nil {
		return nil, nil
	}
	return union([]any{all}), nil
}

// checkUpdates checks what the parts of systemUpdate need of each other.
func checkUpdates(props catalog.Properties, fields map[string]any) error {
	update, ok := fields["systemUpdate"].(map[string]any)
	if !ok {
		return nil
	}
	const (
		kind  = "systemUpdateInstallType"
		start = "systemUpdateWindowStartMinutesAfterMidnight"
		end   = "systemUpdateWindowEndMinutesAfterMidnight"
	)
	windowed := update["type"] == "WINDOWED"
	for _, name := range []string{start, end} {
		switch {
		case windowed && !props.Has(name):
			return &invalid.Input{Property: name, Reason: "is missing: " + kind +
				" windowed needs the minutes after midnight at which the window starts and ends"}
		case !windowed && props.Has(name):
			return &invalid.Input{Property: name, Reason: "needs " + kind + " windowed"}
		}
	}
	if update["type"] == nil {
		return &invalid.Input{Property: kind,
			Reason: "is missing: systemUpdateFreezePeriods say when not to update, and it says how"}
	}
	return nil
}

func checkVPN(_ catalog.Properties, fields map[string]any) error {
	vpn, ok := fields[vpnPath].(map[string]any)
	if ok && vpn["packageName"] == nil {
		return &invalid.Input{Property: "vpnAlwaysOnPackageIdentifier",
			Reason: "is missing: vpnAlwaysOnLockdownMode needs the package name of the VPN app"}
	}
	return nil
}
