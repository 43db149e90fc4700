package graph

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

const codePrecondition = "PreconditionFailed"

// etagProperty is the entity tag of an object within a JSON body.
const etagProperty = "@odata.etag"

// anyTag is the condition that there is the thing at all.
const anyTag = "*"

// conditional reports whether a route changes a thing that has an entity tag.
func (rt *route) conditional() bool {
	return rt.verb != nil && rt.verb.conditional && rt.resource.tagged
}

// readCondition reads If-Match, and refuses it where it would not be obeyed.
func (c *call) readCondition() (err error) {
	if c.match, err = readTags(c.r.Header, "If-Match"); err != nil {
		return err
	}
	if len(c.match) > 0 && !slices.Contains(c.match, anyTag) && !c.route.conditional() {
		return badRequest("If-Match", "Header 'If-Match' is not supported here. Leave it out, or give '*'.")
	}
	return nil
}

// readTags reads a list of entity tags (RFC 9110, section 8.8.3). They come without W/ and quotes: all of them are weak
// here, and, as OData has it, compared all the same.
func readTags(h http.Header, name string) (tags []string, err error) {
	rest := strings.TrimSpace(strings.Join(h.Values(name), ","))
	if rest == anyTag {
		return []string{anyTag}, nil
	}
	for rest != "" {
		tag, ok := strings.CutPrefix(strings.TrimPrefix(rest, "W/"), `"`)
		if ok {
			tag, rest, ok = strings.Cut(tag, `"`)
		}
		rest = strings.TrimSpace(rest)
		if !ok || rest != "" && rest[0] != ',' {
			return nil, badRequest(name, `Header '%s' is not valid: give '*', or entity tags as they came, such as W/"x".`, name)
		}
		tags = append(tags, tag)
		rest = strings.TrimSpace(strings.TrimLeft(rest, ", "))
	}
	return tags, nil
}

// changeable returns an error unless one of the tags is one that the call was made for.
func (c *call) changeable(tags ...string) error {
	named := func(tag string) bool { return slices.Contains(c.match, tag) }
	if len(c.match) == 0 || named(anyTag) || slices.ContainsFunc(tags, named) {
		return nil
	}
	return changed()
}

func changed() error {
	return &fault{status: http.StatusPreconditionFailed, code: codePrecondition, target: "If-Match",
		message: "It has changed since the entity tag in If-Match was read. Read it again, and decide anew."}
}

// tag makes the entity tag of the thing that is answered known.
func (c *call) tag(tag string) { c.w.Header().Set("ETag", quoted(tag)) }

// tagged is an object of a body with its entity tag.
func tagged(tag string, f fields) fields { return append(fields{{etagProperty, quoted(tag)}}, f...) }

func quoted(tag string) string { return `W/"` + tag + `"` }

// unmodified reports whether the caller has the answer already. The tag of a device is that of its set, not of all that is
// shown of it.
func (c *call) unmodified() bool {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead || c.route.device() {
		return false
	}
	tag := strings.TrimSuffix(strings.TrimPrefix(c.w.Header().Get("ETag"), `W/"`), `"`)
	known, err := readTags(c.r.Header, "If-None-Match")
	return err == nil && tag != "" && (slices.Contains(known, tag) || slices.Contains(known, anyTag))
}

// device reports whether a route is about a managed device.
func (rt *route) device() bool {
	return rt.resource != nil && rt.resource.device
}

// tagDevice makes the tag of the set of the device that the path names known, to who reaches the device. It must be read
// before what the answer shows of the set: then a set that changes in between has another tag.
func (c *call) tagDevice() error {
	if _, err := c.around(c.r.Context(), c.deviceID()); err != nil {
		return err
	}
	tag, err := c.Engine.SetTag(c.r.Context(), c.deviceID())
	if err == nil {
		c.tag(tag)
	}
	return err
}

// sameSet is the condition that the action is made for the set that the device has; nil: there is none.
func (c *call) sameSet() func(tag string) bool {
	if len(c.match) == 0 {
		return nil
	}
	return func(tag string) bool { return c.changeable(tag) == nil }
}

// tagOf makes an entity tag of all that makes up a thing.
func tagOf(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic("graph: an entity tag does not marshal: " + err.Error()) // texts, times and JSON of the catalog's
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// payloadTag is the tag of a payload. Its content has a version.
func payloadTag(p *catalog.Payload) string {
	return tagOf(p.ID, p.Version, p.LastModified.Truncate(time.Microsecond).UTC(), p.DisplayName, p.Description, p.FileName, p.Tags,
		p.ShownProperties())
}

// assignmentsTag is the tag of a payload's assignments.
func assignmentsTag(list []catalog.Assignment) string {
	return tagOf(append([]catalog.Assignment{}, list...))
}

// Conditions for changes of the catalog and of roles, which hold in the transaction of the change.

func (c *call) samePayload(p *catalog.Payload) error { return c.changeable(payloadTag(p)) }

func (c *call) sameAssignments(p *catalog.Payload, list []catalog.Assignment) error {
	return c.changeable(payloadTag(p), assignmentsTag(list))
}

func groupTag(g *catalog.DeviceGroup) string { return tagOf(groupFields(g)) }

func (c *call) sameGroup(g *catalog.DeviceGroup) error { return c.changeable(groupTag(g)) }

func roleTag(r *access.Role) string { return tagOf(definitionFields(r)) }

func (c *call) sameRole(r *access.Role) error { return c.changeable(roleTag(r)) }

func assignmentTag(a *access.RoleAssignment) string { return tagOf(a.RoleID, assignmentFields(a)) }

func (c *call) sameAssignment(a *access.RoleAssignment) error { return c.changeable(assignmentTag(a)) }
