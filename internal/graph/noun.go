package graph

import "github.com/syncpayloads/syncpayloads/internal/catalog"

// Nouns are what people call the things of the audit record: by the first part of operations' names (roleDefinitions of
// roleDefinitions.create), by the type of an object (roleDefinition), and of a payload by its own type (iosVppApp).
func Nouns() map[string]string {
	nouns := map[string]string{catalog.SettingsCatalogPolicy: policies.noun}
	for _, rt := range routes() {
		if r := rt.resource; r != nil {
			nouns[r.name], nouns[r.object] = r.noun, r.noun
		}
	}
	for _, k := range kinds {
		for _, t := range k.types {
			nouns[t.name] = k.noun
		}
	}
	delete(nouns, "") // a single thing's operations have names of their own
	return nouns
}

// Activities are the names of all operations, as the audit record keeps them.
func Activities() (names []string) {
	for _, rt := range routes() {
		names = append(names, rt.name)
	}
	return names
}
