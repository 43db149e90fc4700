package odata

import (
	"net/http"
	"slices"
	"strings"
)

// The preferences that are honoured beside a list's page size (RFC 7240; OData 4.0 protocol,
// section 8.2.8; Microsoft Graph, evolvable enumerations).
const (
	preferMinimal        = "return=minimal"
	preferRepresentation = "return=representation"
	preferUnknownMembers = "include-unknown-enum-members"
)

// readPreferences reads Prefer. A preference that is not known is passed over, as its standard has
// it.
func (r *Request) readPreferences() error {
	for part := range strings.SplitSeq(strings.Join(r.HTTP.Header.Values("Prefer"), ","), ",") {
		name, _, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(name, `"`, "")), ""))
		if !slices.Contains(r.preferences, name) {
			r.preferences = append(r.preferences, name)
		}
	}
	if r.prefers(preferMinimal) && r.prefers(preferRepresentation) {
		return BadRequest("Prefer",
			"Header 'Prefer' asks for both return=minimal and return=representation.")
	}
	if r.prefers(preferUnknownMembers) {
		r.apply(preferUnknownMembers)
	}
	return nil
}

// prefers reports whether the caller has a preference.
func (r *Request) prefers(preference string) bool {
	return slices.Contains(r.preferences,
		preference)
}

// apply tells the caller that a preference of theirs was followed.
func (r *Request) apply(preference string) {
	r.Writer.Header().Add("Preference-Applied",
		preference)
}

// wantsNoBody reports whether the caller wants the answer to a write without its body. Of what was
// made, OData-EntityId then tells where it is.
func (r *Request) wantsNoBody(status int) bool {
	if r.Operation.reads(r.HTTP.Method) || status != http.StatusOK && status != http.StatusCreated {
		return false
	}
	switch {
	case r.prefers(preferMinimal):
		r.apply(preferMinimal)
		if at := r.Writer.Header().Get("Location"); at != "" {
			r.Writer.Header().Set("OData-EntityId", at)
		}
		return true
	case r.prefers(preferRepresentation):
		r.apply(preferRepresentation)
	}
	return false
}
