package graph

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

func TestParseFilter(t *testing.T) {
	is := func(f query.Field, o query.Operator, v any) query.Condition {
		return query.Comparison{Field: f, Operator: o, Value: v}
	}
	noon := time.Date(2025, 2, 13, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]query.Condition{
		"deviceName eq 'iPhone'":   is(fleet.ByName, query.Equal, "iPhone"),
		"deviceName EQ 'iPhone'":   is(fleet.ByName, query.Equal, "iPhone"),
		"deviceName eq 'O''Brien'": is(fleet.ByName, query.Equal, "O'Brien"),
		"deviceName eq ''''":       is(fleet.ByName, query.Equal, "'"),
		"deviceName eq ''":         is(fleet.ByName, query.Equal, ""),
		"deviceName eq 'a or b) eq (c'": is(fleet.ByName, query.Equal,
			"a or b) eq (c"),
		"serialNumber ne null": is(fleet.BySerialNumber, query.NotEqual,
			nil),
		"lastSyncDateTime ge 2025-02-13T12:00:00Z": is(fleet.ByLastSync, query.GreaterOrEqual,
			noon),
		"lastSyncDateTime lt 2025-02-13T13:00+01:00": is(fleet.ByLastSync, query.Less, noon),
		"enrolledDateTime gt 2025-02-13": is(fleet.ByEnrolledAt, query.Greater,
			noon.Add(-12*time.Hour)),
		"enrolledDateTime le 2025-02-13T12:00:00.000Z": is(fleet.ByEnrolledAt, query.LessOrEqual,
			noon),
		"isSupervised eq true":       is(fleet.BySupervised, query.Equal, true),
		"startswith(deviceName,'i')": is(fleet.ByName, query.StartsWith, "i"),
		"endswith(model, 'x')":       is(fleet.ByModel, query.EndsWith, "x"),
		"contains(osVersion,'17')":   is(fleet.ByOSVersion, query.Contains, "17"),
		"not contains(udid,'a')": query.Not{Is: is(fleet.ByUDID,
			query.Contains, "a")},
		"not(deviceName eq 'a')": query.Not{Is: is(fleet.ByName, query.Equal,
			"a")},
		"operatingSystem in ('iOS','macOS')": query.Any{
			is(fleet.ByPlatform, query.Equal, "iOS"), is(fleet.ByPlatform, query.Equal, "macOS")},
		"operatingSystem in ('iOS')": query.Any{is(fleet.ByPlatform, query.Equal,
			"iOS")},
		"managementState eq 'managed'": query.All{is(fleet.ByEnrolled, query.Equal, true),
			is(fleet.ByLeaving, query.Equal, int64(fleet.Stays))},
		"managementState ne 'managed'": query.Not{Is: query.All{
			is(fleet.ByEnrolled, query.Equal, true),
			is(fleet.ByLeaving, query.Equal, int64(fleet.Stays))}},
		"managementState eq 'wipeIssued'": query.Any{},
		"complianceState eq 'unknown'":    query.All{},
		"complianceState ne 'compliant'":  query.Not{Is: query.Any{}},
		"ownerType eq 'personal'": query.Any{is(fleet.ByOwner, query.Equal, "personal"),
			query.All{is(fleet.ByOwner, query.Equal, ""),
				is(fleet.ByUserEnrolled, query.Equal, true)}},
		"roleScopeTagIds/any(t:t eq '0')": query.Has{Field: fleet.ByTag, Value: "0"},
		"roleScopeTagIds/any(t: t in ('0','1'))": query.Any{query.Has{Field: fleet.ByTag,
			Value: "0"}, query.Has{Field: fleet.ByTag, Value: "1"}},
		"not roleScopeTagIds/any(x:x eq '1' or x eq '2')": query.Not{Is: query.Any{query.Has{Field: fleet.ByTag, Value: "1"},
			query.Has{Field: fleet.ByTag, Value: "2"}}},
		"id eq 0b8ccbe0-5c39-4f0a-9c3c-000000000001": is(fleet.ByID, query.Equal,
			"0b8ccbe0-5c39-4f0a-9c3c-000000000001"),
		"deviceName eq 'a' or deviceName eq 'b' and isSupervised eq false": query.Any{
			is(fleet.ByName, query.Equal, "a"),
			query.All{is(fleet.ByName, query.Equal, "b"),
				is(fleet.BySupervised, query.Equal, false)}},
		"(deviceName eq 'a' or deviceName eq 'b') and isSupervised eq false": query.All{
			query.Any{is(fleet.ByName, query.Equal, "a"), is(fleet.ByName, query.Equal, "b")},
			is(fleet.BySupervised, query.Equal, false)},
		"deviceName eq 'a' or deviceName eq 'b' or deviceName eq 'c'": query.Any{
			is(fleet.ByName, query.Equal, "a"), is(fleet.ByName, query.Equal, "b"),
			is(fleet.ByName, query.Equal, "c")},
	} {
		got, err := odata.ParseFilter(text, deviceListing)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %#v, %v\nwant %#v", text, got, err, want)
		}
	}
}

// Every kind of things takes what Graph's scripts ask of it.
func TestParseFilterOfOthers(t *testing.T) {
	vpp := query.Comparison{Field: catalog.ByODataType, Operator: query.Equal, Value: "iosVppApp"}
	apps, configurations := kindOf(action.Application).listing(appleForms),
		kindOf(action.DeviceConfiguration).listing(appleForms)
	for _, tt := range []struct {
		listing *odata.Listing
		text    string
		want    query.Condition
	}{
		{apps, "isof('microsoft.graph.iosVppApp')", vpp},
		{apps, "(isof(microsoft.graph.iosVppApp) or isof('#microsoft.graph.win32LobApp'))",
			query.Any{vpp, query.Any{}}},
		{apps, "isof('microsoft.graph.mobileApp')", query.All{}},
		{apps, "isof('microsoft.graph.user')", query.Any{}},
		{configurations, "isof('microsoft.graph.windowsUpdateForBusinessConfiguration')", query.Any{}},
		{apps, "microsoft.graph.iosVppApp/bundleId eq 'x'", query.All{vpp,
			query.Comparison{Field: catalog.ByProperty("bundleId"), Operator: query.Equal,
				Value: "x"}}},
		{policies.listing(appleForms), "TemplateReference/TemplateFamily ne 'none'",
			query.Not{Is: query.All{}}},
		{policies.listing(appleForms), "templateReference/templateFamily eq 'baseline'", query.Any{}},
		{policies.listing(appleForms), "templateReference/templateId eq ''", query.All{}},
		{policies.listing(appleForms), "creationSource eq null", query.All{}},
		{apps, "publisher eq 'Apple'", query.Comparison{Field: catalog.ByProperty("publisher"),
			Operator: query.Equal, Value: "Apple"}},
		{configurations, "version ge 3", query.Comparison{Field: catalog.ByVersion,
			Operator: query.GreaterOrEqual, Value: int64(3)}},
		{configurations, "version eq -1", query.Comparison{Field: catalog.ByVersion,
			Operator: query.Equal, Value: int64(-1)}},
		{policies.listing(appleForms), "name eq 'a' and isAssigned eq true", query.All{
			query.Comparison{Field: catalog.ByDisplayName, Operator: query.Equal, Value: "a"},
			query.Comparison{Field: catalog.ByAssigned, Operator: query.Equal, Value: true}}},
		{deviceListing, "userPrincipalName eq 'a@b'", query.Any{}},
		{deviceListing, "userPrincipalName ne 'a@b'", query.All{}},
		{deviceListing, "userPrincipalName eq null", query.All{}},
		{deviceListing, "startswith(userId,'0000')", query.All{}},
		{groupListing, "securityEnabled eq true", query.All{}},
		{groupListing, "securityEnabled ne true", query.Any{}},
		{groupListing, "mailEnabled eq true", query.Any{}},
		{groupListing, "groupTypes/any(c:c eq 'Unified')", query.Any{}},
		{assignmentListing, "members/any(m:m eq 'user:a')",
			query.Has{Field: access.ByMember, Value: "user:a"}},
		{definitionListing, "isBuiltIn eq true",
			query.Comparison{Field: access.ByBuiltIn, Operator: query.Equal, Value: true}},
		{remoteActionListing, "actionState eq 'failed'",
			query.Comparison{Field: audit.ByState, Operator: query.Equal, Value: int64(5)}},
	} {
		got, err := odata.ParseFilter(tt.text, tt.listing)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %#v, %v\nwant %#v", tt.text, got, err, tt.want)
		}
	}
	for _, tt := range []struct {
		listing *odata.Listing
		text    string
		named   string
	}{
		{apps, "version eq 1", "version"},
		{apps, "isof('user')", "user"},
		{policies.listing(appleForms), "technologies has 'mail'", "mail"},
		{policies.listing(appleForms), "templateReference/colour eq 'x'", "colour"},
		{apps, "deviceActionResults/any(a:a/actionState eq 'failed')", "deviceActionResults"},
		{configurations, "displayName eq 1", "displayName"},
		{configurations, "version eq '1'", "version"},
		{configurations, "version eq 1.5", "$filter"},
		{configurations, "contains(version,1)", "version"},
		{policies.listing(appleForms), "displayName eq 'a'", "name"},
		{groupListing, "securityEnabled eq 'true'", "securityEnabled"},
		{deviceListing, "userPrincipalName eq 1", "userPrincipalName"},
		{deviceListing, "userPrincipalName gt null", "userPrincipalName"},
		{deviceListing, "totalStorageSpaceInBytes lt 'a'", "totalStorageSpaceInBytes"},
		{deviceListing, "hardwareInformations eq null", "hardwareInformations"},
		{scopeTagListing, "roleScopeTagIds/any(t:t eq '0')", "nothing here"},
	} {
		got, err := odata.ParseFilter(tt.text, tt.listing)
		var f *odata.Fault
		if !errors.As(err, &f) || f.Status != http.StatusBadRequest ||
			!strings.Contains(f.Message, tt.named) {
			t.Errorf("%s: got %#v, %v; want a 400 that names %s", tt.text, got, err, tt.named)
		}
	}
}

// appleForms are what the tests' server takes.
var (
	appleForms    = catalog.MustForms(payload.Forms())
	deviceListing = newDeviceSurface(apple.Platform{}.Describe().Kinds).listing
)

func kindOf(p action.PayloadType) *payloadKind {
	return kinds[slices.IndexFunc(kinds, func(k *payloadKind) bool { return k.of.Kind == p })]
}

// listings are all that there are.
func listings() []*odata.Listing {
	all := []*odata.Listing{deviceListing, policies.listing(appleForms), groupListing,
		definitionListing, assignmentListing, scopeTagListing, remoteActionListing}
	for _, k := range kinds {
		all = append(all, k.listing(appleForms))
	}
	return all
}

// FuzzFilter holds that no filter panics, whatever it is of, and that none is ignored.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"deviceName eq 'a'", "not (contains(id,'a') and isSupervised eq true)", "id in (null,'a')",
		"roleScopeTagIds/any(t:t eq '0')", "isof('microsoft.graph.iosVppApp')",
		"members/any(a:a in ('x')) or version lt 2",
		"deviceActionResults/any(a:a/actionState eq 'failed')",
		"technologies has microsoft.graph.x'mdm,android' or templateReference/templateId eq 'a'",
		"microsoft.graph.managedApp/a eq null or isof('microsoft.graph.iosVppApp') eq false",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer cost.Input(t)()
		for _, l := range listings() {
			where, err := odata.ParseFilter(text, l)
			var bad *odata.Fault
			if err != nil && (!errors.As(err, &bad) || bad.Status != http.StatusBadRequest) {
				t.Fatalf("%q: %v is not a 400", text, err)
			}
			if err == nil && where == nil {
				t.Fatalf("%q: the filter is ignored", text)
			}
		}
	})
}
