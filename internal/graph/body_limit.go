package graph

import (
	"slices"
	"strings"
)

// plainBody is the most bytes of a body in which there is no file. Two thousand assignments have half of it.
const plainBody = 1 << 20

// bodyLimit is how many bytes the body of a call may have.
func (c *call) bodyLimit() int64 {
	if c.route.takesFile() {
		return c.MaxBody
	}
	return min(c.MaxBody, plainBody)
}

// takesFile reports whether what is sent to a route may hold a profile, or the settings of a policy.
func (rt *route) takesFile() bool {
	set, operation, _ := strings.Cut(rt.name, ".")
	if !slices.Contains([]string{"", "create", "update", "replace"}, operation) {
		return false
	}
	switch set {
	case "batch", "inspectProfile", policies.set:
		return true
	}
	for _, k := range kinds {
		if k.set == set {
			return true
		}
	}
	return false
}
