package graph

import (
	"net/http"
	"slices"
	"strings"
)

// The preferences that are honoured beside a list's page size (RFC 7240; OData 4.0 protocol, section 8.2.8; Microsoft
// Graph, evolvable enumerations).
const (
	preferMinimal        = "return=minimal"
	preferRepresentation = "return=representation"
	preferUnknownMembers = "include-unknown-enum-members"
)

// readPreferences reads Prefer. A preference that is not known is passed over, as its standard has it.
func (c *call) readPreferences() error {
	for part := range strings.SplitSeq(strings.Join(c.r.Header.Values("Prefer"), ","), ",") {
		name, _, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(name, `"`, "")), ""))
		if !slices.Contains(c.preferences, name) {
			c.preferences = append(c.preferences, name)
		}
	}
	if c.prefers(preferMinimal) && c.prefers(preferRepresentation) {
		return badRequest("Prefer", "Header 'Prefer' asks for both return=minimal and return=representation.")
	}
	if c.prefers(preferUnknownMembers) {
		c.apply(preferUnknownMembers)
	}
	return nil
}

// prefers reports whether the caller has a preference.
func (c *call) prefers(preference string) bool { return slices.Contains(c.preferences, preference) }

// apply tells the caller that a preference of theirs was followed.
func (c *call) apply(preference string) { c.w.Header().Add("Preference-Applied", preference) }

// minimalReturn reports whether an answer to a write goes without its body. Of what was made its place is told.
func (c *call) minimalReturn(status int) bool {
	if c.route.reads(c.r.Method) || status != http.StatusOK && status != http.StatusCreated {
		return false
	}
	switch {
	case c.prefers(preferMinimal):
		c.apply(preferMinimal)
		if at := c.w.Header().Get("Location"); at != "" {
			c.w.Header().Set("OData-EntityId", at)
		}
		return true
	case c.prefers(preferRepresentation):
		c.apply(preferRepresentation)
	}
	return false
}
