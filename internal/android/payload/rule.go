package payload

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// rule is how what several payloads want of one field becomes one value. What a rule makes does not
// depend on the order in which payloads were assigned, and not on how often a value is there; only
// the oldest one's asks which payload was made first.
type rule struct {
	name  string
	order []string // of strictest: the strictest first
}

// readRule reads a rule as settings.txt has it.
func readRule(text string) (rule, error) {
	name, rest, _ := strings.Cut(text, " ")
	r := rule{name: name}
	if rest != "" {
		r.order = strings.Split(rest, " > ")
	}
	known := []string{"any", "least", "greatest", "union", "personal", "oldest", "strictest"}
	if !slices.Contains(known, name) || (name == "strictest") != (rest != "") {
		return r, fmt.Errorf("rule %q", text)
	}
	return r, nil
}

// oldest is the rule of what has no order.
var oldest = rule{name: "oldest"}

// combine makes one value of several, the oldest payload's first; there is at least one.
func (r rule) combine(values []any) any {
	best := values[0]
	switch r.name {
	case "union":
		return union(values)
	case "personal":
		return combinePersonal(values)
	case "any", "oldest": // who does not say so says nothing
		return best
	}
	for _, v := range values[1:] {
		if r.before(v, best) {
			best = v
		}
	}
	return best
}

// before reports whether a wins over b.
func (r rule) before(a, b any) bool {
	switch r.name {
	case "least":
		return number(a) < number(b)
	case "greatest":
		return number(a) > number(b)
	default:
		return r.rank(a) < r.rank(b)
	}
}

// rank is the place of a value in the order; what is not in it comes last.
func (r rule) rank(v any) int {
	text, _ := v.(string)
	if i := slices.Index(r.order, text); i >= 0 {
		return i
	}
	return len(r.order)
}

// number is a value that counts something: JSON's 4, and "600000" and "86400s" as Google writes
// int64 and durations.
func number(v any) int64 {
	// fragments were checked
	n, _ := strconv.ParseInt(strings.TrimSuffix(fmt.Sprint(v), "s"), 10, 64)
	return n
}

// union is all texts of all lists, sorted.
func union(lists []any) []any {
	var all []string
	for _, list := range lists {
		all = append(all, textsOf(list)...)
	}
	slices.Sort(all)
	return anyOf(slices.Compact(all))
}

func textsOf(list any) (texts []string) {
	elements, _ := list.([]any)
	for _, e := range elements {
		if text, ok := e.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

func anyOf(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}

// The lists of apps of a personal profile that one payload may have.
const (
	blockedApps = "blocked"
	allowedApps = "allowed"
)

// combinePersonal makes Google's list of personal apps of the payloads' lists: what one blocks is
// blocked, and allowed is only what all that allow some allow.
func combinePersonal(values []any) any {
	var blocked, allowed []string
	lists := 0
	for _, v := range values {
		of, _ := v.(map[string]any)
		blocked = append(blocked, textsOf(of[blockedApps])...)
		if _, ok := of[allowedApps]; !ok {
			continue
		}
		some := textsOf(of[allowedApps])
		if lists++; lists == 1 {
			allowed = some
		}
		allowed = slices.DeleteFunc(slices.Clone(allowed),
			func(app string) bool { return !slices.Contains(some, app) })
	}
	install := make(map[string]string)
	for _, app := range allowed {
		install[app] = "AVAILABLE"
	}
	for _, app := range blocked {
		install[app] = "BLOCKED"
	}
	list := []any{}
	for _, app := range sortedKeys(install) {
		list = append(list, map[string]any{"packageName": app, "installType": install[app]})
	}
	return list
}
