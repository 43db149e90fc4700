package payload

import (
	"maps"
	"slices"
	"strings"
)

// A field of a policy is named by its path, with what an element of a list is known by in place of
// its index: applications[com.example.app].installType.

// keys are by what the elements of the lists that are composed are known.
var keys = map[string]string{
	"applications":          "packageName",
	"passwordPolicies":      "passwordScope",
	"NetworkConfigurations": "GUID",
	"Certificates":          "GUID",
}

// Paths of what is not in settings.txt.
const (
	installTypeOf   = "installType"
	configurationOf = "managedConfiguration"
	permissionsOf   = "permissionGrants"
	connectedOf     = "connectedWorkAndPersonalApp"
	scopesOf        = "delegatedScopes"
	vpnPath         = "alwaysOnVpnPackage"
	wifiSetting     = "openNetworkConfiguration"
)

// appPath is the path of a field of an app.
func appPath(packageName, field string) string {
	return "applications[" + packageName + "]." + field
}

func networkPath(guid string) string { return wifiSetting + ".NetworkConfigurations[" + guid + "]" }

func certificatePath(guid string) string { return wifiSetting + ".Certificates[" + guid + "]" }

// splitPath is the parts of a path: name and, of an element, key. Keys may have dots in them.
func splitPath(path string) (parts []pathPart) {
	for path != "" {
		var p pathPart
		end := strings.IndexAny(path, ".[")
		switch {
		case end < 0:
			p.name, path = path, ""
		case path[end] == '.':
			p.name, path = path[:end], path[end+1:]
		default:
			p.name = path[:end]
			p.key, path, _ = strings.Cut(path[end+1:], "]")
			path = strings.TrimPrefix(path, ".")
		}
		parts = append(parts, p)
	}
	return parts
}

type pathPart struct{ name, key string }

// pathOf is the path that parts make.
func pathOf(parts []pathPart) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p.name)
		if p.key != "" {
			b.WriteString("[" + p.key + "]")
		}
	}
	return b.String()
}

// appOf is the app whose field a path is; empty: it is none of an app.
func appOf(path string) string {
	if rest, ok := strings.CutPrefix(path, "applications["); ok {
		app, _, _ := strings.Cut(rest, "]")
		return app
	}
	return ""
}

// fieldOf finds what settings.txt says of a path; nil: nothing.
func fieldOf(path string) *settingField {
	if app := appOf(path); app != "" {
		path = strings.Replace(path, "["+app+"]", "[]", 1)
	}
	return settings().byPath[path]
}

// ruleOf is how several payloads' values at a path combine.
func ruleOf(path string) rule {
	if f := fieldOf(path); f != nil {
		return f.rule
	}
	return oldest
}

// put sets a value at a path. Elements are kept by their key until listed makes lists of them.
func put(policy map[string]any, path string, value any) {
	at := policy
	parts := splitPath(path)
	for i, p := range parts {
		last := i == len(parts)-1
		if last && p.key == "" {
			at[p.name] = value
			return
		}
		at = inside(at, p.name)
		if p.key == "" {
			continue
		}
		if last {
			element := maps.Clone(value.(map[string]any)) // only objects are elements
			element[keys[p.name]] = p.key
			at[p.key] = element
			return
		}
		at = inside(at, p.key)
		at[keys[p.name]] = p.key
	}
}

func inside(at map[string]any, name string) map[string]any {
	in, ok := at[name].(map[string]any)
	if !ok {
		in = make(map[string]any)
		at[name] = in
	}
	return in
}

// listed makes a list of what put kept by its keys, sorted by them, and returns the keys.
func listed(at map[string]any, name string) []string {
	byKey, ok := at[name].(map[string]any)
	if !ok {
		return nil
	}
	order := sortedKeys(byKey)
	list := make([]any, len(order))
	for i, key := range order {
		list[i] = byKey[key]
	}
	at[name] = list
	return order
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
