package graph

import "github.com/syncpayloads/syncpayloads/internal/catalog"

// Nouns are what people call the things of the audit record: by the first part of operations' names
// (roleDefinitions of roleDefinitions.create), by the type of an object (roleDefinition), and of a
// payload by its own type (iosVppApp).
func Nouns(forms *catalog.Forms) map[string]string {
	nouns := make(map[string]string)
	for _, rt := range routes() {
		if r := rt.resource; r != nil {
			nouns[r.name], nouns[r.object] = r.noun, r.noun
		}
	}
	for _, form := range forms.All() {
		nouns[form.Type] = form.Collection.One
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
