package payload

import (
	"fmt"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// MappedSettings are the properties of settings.txt that set a field.
func MappedSettings() (list []catalog.Property) {
	for _, p := range settings().properties {
		list = append(list, p.Property)
	}
	return list
}

// SettingsTable is settings.txt as a table for people.
func SettingsTable() string {
	var b strings.Builder
	b.WriteString("| property | becomes | of several policies | when nobody sets it |\n|---|---|---|---|\n")
	for _, p := range settings().properties {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", p.Name, p.becomes(), p.field.rule.inWords(),
			p.field.byDefault)
	}
	b.WriteString("\n| refused property | why |\n|---|---|\n")
	for _, r := range settings().refused {
		fmt.Fprintf(&b, "| `%s` | %s |\n", r.Name, r.reason)
	}
	return b.String()
}

// becomes says which field a property sets to what.
func (p *settingProperty) becomes() string {
	field := "`" + p.field.path + "`"
	if p.part != "" {
		field = "`" + p.field.path + "." + p.part + "`"
	}
	switch {
	case p.kind == "bool" && p.whenFalse != "":
		return fmt.Sprintf("%s: true `%s`, false `%s`", field, p.whenTrue, p.whenFalse)
	case p.kind == "bool" && p.whenTrue == "true":
		return field
	case p.kind == "bool":
		return fmt.Sprintf("%s: true `%s`", field, p.whenTrue)
	case p.kind == "int":
		return fmt.Sprintf("%s: %d to %d%s", field, p.least, p.greatest,
			map[string]string{"minutes": " minutes, in milliseconds", "days": " days, in seconds",
				"clock": ", at most 1439"}[p.unit])
	case p.values != nil:
		var pairs []string
		for _, m := range p.Type.Members {
			if p.values[m] != "" {
				pairs = append(pairs, fmt.Sprintf("%s `%s`", m, p.values[m]))
			}
		}
		return field + ": " + strings.Join(pairs, ", ")
	default:
		return field
	}
}

// inWords says how several values combine.
func (r rule) inWords() string {
	switch r.name {
	case "strictest":
		if len(r.order) == 1 {
			return "set if one sets it"
		}
		return "the first of `" + strings.Join(r.order, "`, `") + "`"
	case "any":
		return "set if one sets it"
	case "least":
		return "the least"
	case "greatest":
		return "the greatest"
	case "union":
		return "all together"
	case "personal":
		return "blocked: all together; allowed: what every list allows"
	default:
		return "the oldest policy's"
	}
}

// ValueOf is Google's value that has a code; empty: none has.
func ValueOf(code int64) string {
	row, _ := rowOf(code)
	return row.value
}
