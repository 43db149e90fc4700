package graph

import (
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// resource is a kind of thing that has its own path. What routes, $metadata, entity tags, v1.0 and
// the audit record need to know of the kind is said here once.
type resource struct {
	// name begins the names of the operations on it, which the audit record keeps: roleDefinitions.
	name string
	// path is that of the collection, or of the single thing, with the version:
	// /beta/deviceManagement/roleDefinitions.
	path string
	// odataType is the type of one of them, without its namespace. What is not Graph's has none.
	odataType odata.TypeName
	// object is what the audit record calls one of them: roleDefinition.
	object string
	// noun is what people call one of them: role.
	noun string
	// category is Graph's word in auditEvent for what operations on it belong to.
	category string
	// stable says that Graph has it in v1.0, too.
	stable bool
	// tagged says that one of them has an entity tag, and that changes of it obey If-Match.
	tagged bool
	// casts says that they are of several types, and that all operations on them heed the one that
	// the path casts to.
	casts bool
	// device says that it is a managed device.
	device bool
	// setByServer are the properties of Graph's type that only the server sets. Bodies may have
	// them with any value.
	setByServer []string
	// largestBody is how many bytes a body may have that makes or edits one; 0: ordinaryBody.
	largestBody int64
}

// Graph's words for what operations belong to (auditEvent, property category).
const (
	categoryDevice        = "Device"
	categoryConfiguration = "DeviceConfiguration"
	categoryApplication   = "Application"
	categoryRole          = "Role"
	categoryEnrollment    = "Enrollment"
	categoryOther         = "Other"
)

// verb is what an operation does. The same verb does the same to every resource.
type verb struct {
	// name is the rest of the operation's name: list of roleDefinitions.list.
	name   string
	method string
	// suffix is what the path has beyond the resource's.
	suffix string
	// part is the collection of the resource's that it answers with; empty: it answers with the
	// resource.
	part string
	// kind is what the audit record calls it; empty: what the method is called.
	kind audit.Kind
	// many says that it answers with a list.
	many bool
	// conditional says that it obeys If-Match, if the resource is tagged.
	conditional bool
	// keyed says that it obeys Idempotency-Key.
	keyed bool
	// edits says that its body is a resource, or some of its properties.
	edits bool
	// largestBody is how many bytes its body may have, if that does not depend on the resource; 0:
	// ordinaryBody.
	largestBody int64
	// betaOnly says that Graph has it in beta only, even if it has the resource in v1.0.
	betaOnly bool
}

// partAssignments is to whom a payload or a role is assigned.
const partAssignments = "assignments"

// The verbs that many resources have.
var (
	toList   = &verb{name: "list", method: "GET", many: true}
	toCount  = &verb{name: "count", method: "GET", suffix: odata.CountSuffix}
	toCreate = &verb{name: "create", method: "POST", kind: audit.Create, edits: true}
	toGet    = &verb{name: "get", method: "GET", suffix: "/{id}"}
	toUpdate = &verb{name: "update", method: "PATCH", suffix: "/{id}", conditional: true,
		edits: true}
	toReplace = &verb{name: "replace", method: "PUT", suffix: "/{id}", conditional: true,
		edits: true}
	toDelete = &verb{name: "delete", method: "DELETE", suffix: "/{id}", conditional: true}
	toAssign = &verb{name: "assign", method: "POST", suffix: "/{id}/assign", conditional: true,
		part:        partAssignments,
		largestBody: documentBody}
	toAssignQualified = toAssign.qualified()
	toListAssignments = &verb{name: "listAssignments", method: "GET",
		suffix: "/{id}/" + partAssignments, part: partAssignments, many: true}
)

// qualified is the verb of an action that is called by its name with the namespace (OData URL
// conventions 4.0, section 4.4).
func (v *verb) qualified() *verb {
	q := *v
	q.suffix = strings.Replace(v.suffix, "/{id}/", "/{id}/"+odata.GraphNamespace, 1)
	return &q
}

// route is an operation on the resource.
func (r *resource) route(v *verb, needs []access.Right, options []string,
	handle func(*call) error) route {
	return route{method: v.method, pattern: r.path + v.suffix, name: r.name + "." + v.name,
		resource: r, verb: v,
		answers: r.odataType, needs: needs, options: options, handle: handle}
}

// set is the collection, or the single thing, that a route answers with: its path without version
// and ids.
func (rt *route) set() string {
	set := odata.WithoutKeys(strings.TrimPrefix(rt.resource.path, odata.BetaPath))
	if rt.verb != nil && rt.verb.part != "" {
		set += "/" + rt.verb.part
	}
	return set
}

// answering is the route of an operation that answers with things of another type than its
// resource.
func (rt route) answering(odataType odata.TypeName) route {
	rt.answers = odataType
	return rt
}

// casting is the route of an operation that heeds the type to which the path casts.
func (rt route) casting() route {
	rt.casts = true
	return rt
}

// The two resources that are not collections of their own.
var (
	pushCertificate = &resource{path: "/beta/deviceManagement/applePushNotificationCertificate",
		odataType: "applePushNotificationCertificate", object: "applePushNotificationCertificate",
		category: categoryOther, stable: true,
		noun: "push certificate",
		setByServer: []string{"id", "topicIdentifier", "expirationDateTime",
			"certificateSerialNumber"}}
	enrollments = &resource{name: "enrollments", path: "/api/enrollments", object: "enrollment",
		category: categoryEnrollment,
		noun:     "enrollment"}
)
