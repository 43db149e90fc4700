package simulator

import (
	_ "embed"
	"strings"
)

// The members of Google's enums and the formats of its texts, for all that a request may have, one
// field a line: the schema's name, the field's, and the members in their order. A test holds it
// against the discovery document.
//
//go:embed vocabulary.txt
var vocabularyText string

// vocabulary maps "Schema.field" to the enum's members, or to "duration" or "datetime".
var vocabulary = func() map[string][]string {
	words := make(map[string][]string)
	for line := range strings.Lines(vocabularyText) {
		fields := strings.Fields(line)
		words[fields[0]] = fields[1:]
	}
	return words
}()
