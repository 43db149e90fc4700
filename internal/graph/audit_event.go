package graph

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Audit is the record of who did what.
type Audit interface {
	// Record adds an entry that no operation's transaction records.
	Record(ctx context.Context, e audit.Entry) error
	// Entry returns one; audit.ErrNotFound if there is none of that id.
	Entry(ctx context.Context, id string) (audit.Entry, error)
	// Entries lists the entries that a query selects, in its order.
	Entries(ctx context.Context, q audit.Query) ([]audit.Entry, error)
	// CountEntries counts them, whatever the query's limit.
	CountEntries(ctx context.Context, q audit.Query) (int, error)
	// RemoteActions lists the actions on devices that a query selects. It may have the conditions
	// of devices.
	RemoteActions(ctx context.Context, q query.Query) (query.Page[audit.RemoteAction], error)
}

var (
	auditEvents = &resource{name: "auditEvents", path: "/beta/deviceManagement/auditEvents",
		odataType: "auditEvent", object: "auditEvent",
		noun: "audit record", category: categoryOther, stable: true}
	remoteActionAudits = &resource{name: "remoteActionAudits",
		path:      "/beta/deviceManagement/remoteActionAudits",
		odataType: "remoteActionAudit", object: "remoteActionAudit", noun: "remote action",
		category: categoryOther}
)

func auditRoutes() []route {
	needs := may(access.ReadAudit)
	return []route{
		auditEvents.route(toList, needs, []string{odata.OptionSelect, odata.OptionFilter,
			odata.OptionOrderBy, odata.OptionCount, odata.OptionTop, odata.OptionSkip,
			odata.OptionSkipToken},
			(*call).listAuditEvents),
		auditEvents.route(toCount, needs, []string{odata.OptionFilter}, (*call).countAuditEvents),
		auditEvents.route(toGetCategories, needs, nil, (*call).getAuditCategories).answering(""),
		auditEvents.route(toGetActivityTypes, needs, nil,
			(*call).getAuditActivityTypes).answering(""),
		auditEvents.route(toGet, needs, []string{odata.OptionSelect}, (*call).getAuditEvent),
		remoteActionAudits.route(toList, needs, odata.QueryOptions, (*call).listRemoteActionAudits),
		remoteActionAudits.route(toGet, needs, []string{odata.OptionSelect},
			(*call).getRemoteActionAudit),
		remoteActionAudits.route(toCount, needs, odata.CountOptions,
			(*call).listRemoteActionAudits),
	}
}

var auditEventProperties = odata.Properties{
	{"id", odata.String}, {"displayName", odata.String}, {"componentName", odata.String},
	{"actor", "auditActor"},
	{"activity", odata.String}, {"activityDateTime", odata.DateTime},
	{"activityType", odata.String},
	{"activityOperationType", odata.String}, {"activityResult", odata.String},
	{"correlationId", odata.String},
	{"resources", odata.CollectionOf("auditResource")}, {"category", odata.String},
	{"sequence", odata.Int64},
	{"statusCode", odata.Int32}, {"failureReason", odata.String}, {"skippedCount", odata.Int32},
	{"hash", odata.String},
}

var auditEventShape = newShape("auditEvent", auditEventProperties)

// auditEventFields shows an entry as Graph's auditEvent (Microsoft Graph beta reference, auditEvent
// resource type). The last five properties are this server's own.
func (s *server) auditEventFields(e *audit.Entry) odata.Fields {
	resources := make([]odata.Fields, len(e.Objects))
	for i := range e.Objects {
		resources[i] = auditResource(&e.Objects[i])
	}
	return odata.Fields{
		{"id", e.ID},
		{"displayName", e.Activity},
		{"componentName", auditComponent(e.Activity)},
		{"actor", auditActor(&e.Actor)},
		{"activity", e.Activity},
		{"activityDateTime", odata.Timestamp(e.At)},
		{"activityType", e.Activity},
		{"activityOperationType", e.Kind},
		{"activityResult", e.Result},
		{"correlationId", odata.TextOrNull(e.Request)},
		{"resources", resources},
		{"category", s.auditCategory(e.Activity)},
		{"sequence", e.Sequence},
		{"statusCode", odata.NumberOrNull(e.Status)},
		{"failureReason", odata.TextOrNull(e.Reason)},
		{"skippedCount", e.Skipped},
		{"hash", e.Hash},
	}
}

func auditComponent(activity string) string {
	component, _, _ := strings.Cut(activity, ".")
	return component
}

// categoriesOf are Graph's words for what operations belong to, by what their names begin with.
func categoriesOf(routes []route) map[string]string {
	categories := make(map[string]string)
	for i := range routes {
		if r := routes[i].resource; r != nil {
			categories[auditComponent(routes[i].name)] = r.category
		}
	}
	return categories
}

func (s *server) auditCategory(activity string) string {
	return cmp.Or(s.categories[auditComponent(activity)], categoryOther)
}

// auditActor shows who did it as Graph's auditActor. userId is the id under which this server knows
// the caller (access.Identity); that of an application begins with app:.
func auditActor(a *audit.Actor) odata.Fields {
	kind, name := any("ItPro"), odata.TextOrNull(a.Name)
	application, applicationName := any(nil), any(nil)
	switch id, isApplication := strings.CutPrefix(a.ID, "app:"); {
	case isApplication:
		kind, application, applicationName, name = "Application", id, name, nil
	case a.ID == "" && a.Address == "", strings.HasPrefix(a.ID, audit.DeviceActor):
		kind = "System"
	case a.ID == "":
		kind = nil
	}
	roles := append([]string{}, a.Roles...)
	return odata.Fields{
		{"type", kind},
		{"userPermissions", roles},
		{"applicationId", application},
		{"applicationDisplayName", applicationName},
		{"userPrincipalName", name},
		{"servicePrincipalName", nil},
		{"ipAddress", odata.TextOrNull(a.Address)},
		{"userId", odata.TextOrNull(a.ID)},
		{"remoteTenantId", nil},
		{"remoteUserId", nil},
		{"userRoleScopeTags", []odata.Fields{}},
	}
}

func auditResource(o *audit.Object) odata.Fields {
	return odata.Fields{
		{"displayName", odata.TextOrNull(o.Name)},
		{"modifiedProperties", modifiedProperties(o)},
		{"type", "#microsoft.graph." + o.Type},
		{"auditResourceType", o.Type},
		{"resourceId", o.ID},
	}
}

// modifiedProperties lists the properties at the top of an object that differ between before and
// after, by name.
func modifiedProperties(o *audit.Object) []odata.Fields {
	before, after := propertiesOf(o.Before), propertiesOf(o.After)
	modified := []odata.Fields{}
	names := slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if !bytes.Equal(before[name], after[name]) {
			modified = append(modified, odata.Fields{{"displayName", name},
				{"oldValue", auditValue(before[name])}, {"newValue", auditValue(after[name])}})
		}
	}
	return modified
}

// propertiesOf reads an object of the record; one that was not there has none.
func propertiesOf(text json.RawMessage) map[string]json.RawMessage {
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(text, &properties); err != nil {
		return nil
	}
	return properties
}

// auditValue shows a value as the text that Graph has for it: a string as it is, all else as JSON.
func auditValue(value json.RawMessage) any {
	var text *string
	if len(value) == 0 {
		return nil
	}
	if err := json.Unmarshal(value, &text); err != nil {
		return string(value)
	}
	return text
}

// auditLimit is the one whose entries alone a caller sees; empty: everybody's. An entry is about
// objects of any kind, so whoever may read the record only within some groups or scope tags sees
// what they did themselves.
func (c *call) auditLimit() string {
	if c.scope.Everything() {
		return ""
	}
	return c.caller.ID
}

func (c *call) getAuditEvent() error {
	selected, err := c.selected(auditEventShape)
	if err != nil {
		return err
	}
	absent := odata.NotFound("There is no audit event with this id.")
	e, err := c.config.Audit.Entry(c.req.Context(), lower(c.req.PathValue("id")))
	if errors.Is(err, audit.ErrNotFound) {
		return absent
	}
	if err != nil {
		return err
	}
	if own := c.auditLimit(); own != "" && (e.Actor.ID != own || e.Hides()) {
		return errHidden{absent}
	}
	one := []audit.Entry{e}
	if err := c.hideUnseen(one); err != nil {
		return err
	}
	e = one[0]
	context := c.req.ContextURL("deviceManagement/auditEvents") + "/$entity"
	return c.req.Reply(http.StatusOK, append(odata.Fields{{"@odata.context", context}},
		c.shown(auditEventShape, c.server.auditEventFields(&e), selected)...))
}
