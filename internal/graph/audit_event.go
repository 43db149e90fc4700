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
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Audit is the record of who did what.
type Audit interface {
	// Record adds an entry that no operation's transaction records.
	Record(ctx context.Context, e audit.Entry) error
	// Entry returns one; audit.ErrNotFound if there is none of that id.
	Entry(ctx context.Context, id string) (audit.Entry, error)
	// Entries lists the entries that a query selects, the newest first.
	Entries(ctx context.Context, q audit.Query) ([]audit.Entry, error)
	// RemoteActions lists the actions on devices that a query selects. It may have the conditions of devices.
	RemoteActions(ctx context.Context, q query.Query) (query.Page[audit.RemoteAction], error)
}

var (
	auditEvents = &resource{name: "auditEvents", path: "/beta/deviceManagement/auditEvents", odataType: "auditEvent", object: "auditEvent",
		noun: "audit record", category: categoryOther, stable: true}
	remoteActionAudits = &resource{name: "remoteActionAudits", path: "/beta/deviceManagement/remoteActionAudits",
		odataType: "remoteActionAudit", object: "remoteActionAudit", noun: "remote action", category: categoryOther}
)

func auditRoutes() []route {
	needs := may(access.ReadAudit)
	return []route{
		auditEvents.route(toList, needs, []string{optionSelect, optionFilter, optionTop, optionSkipToken}, (*call).listAuditEvents),
		auditEvents.route(toGet, needs, []string{optionSelect}, (*call).getAuditEvent),
		remoteActionAudits.route(toList, needs, queryOptions, (*call).listRemoteActionAudits),
		remoteActionAudits.route(toCount, needs, countOptions, (*call).listRemoteActionAudits),
	}
}

var auditEventProperties = properties{
	{"id", edmString}, {"displayName", edmString}, {"componentName", edmString}, {"actor", "auditActor"},
	{"activity", edmString}, {"activityDateTime", edmDateTime}, {"activityType", edmString},
	{"activityOperationType", edmString}, {"activityResult", edmString}, {"correlationId", edmString},
	{"resources", collectionOf("auditResource")}, {"category", edmString}, {"sequence", edmInt64},
	{"statusCode", edmInt32}, {"failureReason", edmString}, {"skippedCount", edmInt32}, {"hash", edmString},
}

// auditEventFields shows an entry as Graph's auditEvent (Microsoft Graph beta reference, auditEvent resource type). The
// last five properties are this server's own.
func (s *server) auditEventFields(e *audit.Entry) fields {
	resources := make([]fields, len(e.Objects))
	for i := range e.Objects {
		resources[i] = auditResource(&e.Objects[i])
	}
	return fields{
		{"id", e.ID},
		{"displayName", e.Activity},
		{"componentName", auditComponent(e.Activity)},
		{"actor", auditActor(&e.Actor)},
		{"activity", e.Activity},
		{"activityDateTime", timestamp(e.At)},
		{"activityType", e.Activity},
		{"activityOperationType", e.Kind},
		{"activityResult", e.Result},
		{"correlationId", textOrNull(e.Request)},
		{"resources", resources},
		{"category", s.auditCategory(e.Activity)},
		{"sequence", e.Sequence},
		{"statusCode", numberOrNull(e.Status)},
		{"failureReason", textOrNull(e.Reason)},
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

func numberOrNull(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

// auditActor shows who did it as Graph's auditActor. userId is the id under which this server knows the caller
// (access.Identity); that of an application begins with app:.
func auditActor(a *audit.Actor) fields {
	kind, name := any("ItPro"), textOrNull(a.Name)
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
	return fields{
		{"type", kind},
		{"userPermissions", roles},
		{"applicationId", application},
		{"applicationDisplayName", applicationName},
		{"userPrincipalName", name},
		{"servicePrincipalName", nil},
		{"ipAddress", textOrNull(a.Address)},
		{"userId", textOrNull(a.ID)},
		{"remoteTenantId", nil},
		{"remoteUserId", nil},
		{"userRoleScopeTags", []fields{}},
	}
}

func auditResource(o *audit.Object) fields {
	return fields{
		{"displayName", textOrNull(o.Name)},
		{"modifiedProperties", modifiedProperties(o)},
		{"type", "#microsoft.graph." + o.Type},
		{"auditResourceType", o.Type},
		{"resourceId", o.ID},
	}
}

// modifiedProperties lists the properties at the top of an object that differ between before and after, by name.
func modifiedProperties(o *audit.Object) []fields {
	before, after := propertiesOf(o.Before), propertiesOf(o.After)
	modified := []fields{}
	names := slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if !bytes.Equal(before[name], after[name]) {
			modified = append(modified, fields{{"displayName", name}, {"oldValue", auditValue(before[name])}, {"newValue", auditValue(after[name])}})
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

// auditLimit is the one whose entries alone a caller sees; empty: everybody's. An entry is about objects of any kind, so
// whoever may read the record only within some groups or scope tags sees what they did themselves.
func (c *call) auditLimit() string {
	if c.scope.Everything() {
		return ""
	}
	return c.caller.ID
}

func (c *call) listAuditEvents() error {
	selected, err := c.selected(auditEventProperties.names())
	if err != nil {
		return err
	}
	q, err := c.auditQuery()
	if err != nil {
		return err
	}
	size := q.Limit
	q.Limit++
	asked := q.Actor
	if own := c.auditLimit(); own != "" {
		q.Actor, q.Unhidden = own, true
	}
	var list []audit.Entry
	if asked == "" || asked == q.Actor {
		if list, err = c.Audit.Entries(c.r.Context(), q); err != nil {
			return err
		}
	}
	list, next := cut(list, size, func(e audit.Entry) string { return strconv.FormatInt(e.Sequence, 10) })
	if err := c.hideUnseen(list); err != nil {
		return err
	}
	page := page{collection: "deviceManagement/auditEvents", next: next, value: make([]fields, len(list))}
	for i := range list {
		page.value[i] = c.auditEventFields(&list[i]).pick(selected)
	}
	return c.list(page)
}

func (c *call) getAuditEvent() error {
	selected, err := c.selected(auditEventProperties.names())
	if err != nil {
		return err
	}
	absent := notFound("There is no audit event with this id.")
	e, err := c.Audit.Entry(c.r.Context(), lower(c.r.PathValue("id")))
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
	context := c.contextURL("deviceManagement/auditEvents") + "/$entity"
	return c.reply(http.StatusOK, append(fields{{"@odata.context", context}}, c.auditEventFields(&e).pick(selected)...))
}
