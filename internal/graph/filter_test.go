package graph

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func TestParseFilter(t *testing.T) {
	is := func(f fleet.Field, o fleet.Operator, v any) fleet.Condition {
		return fleet.Comparison{Field: f, Operator: o, Value: v}
	}
	noon := time.Date(2025, 2, 13, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]fleet.Condition{
		"deviceName eq 'iPhone'":                       is(fleet.ByName, fleet.Equal, "iPhone"),
		"deviceName EQ 'iPhone'":                       is(fleet.ByName, fleet.Equal, "iPhone"),
		"deviceName eq 'O''Brien'":                     is(fleet.ByName, fleet.Equal, "O'Brien"),
		"deviceName eq ''''":                           is(fleet.ByName, fleet.Equal, "'"),
		"deviceName eq ''":                             is(fleet.ByName, fleet.Equal, ""),
		"deviceName eq 'a or b) eq (c'":                is(fleet.ByName, fleet.Equal, "a or b) eq (c"),
		"serialNumber ne null":                         is(fleet.BySerialNumber, fleet.NotEqual, nil),
		"lastSyncDateTime ge 2025-02-13T12:00:00Z":     is(fleet.ByLastSync, fleet.GreaterOrEqual, noon),
		"lastSyncDateTime lt 2025-02-13T13:00+01:00":   is(fleet.ByLastSync, fleet.Less, noon),
		"enrolledDateTime gt 2025-02-13":               is(fleet.ByEnrolledAt, fleet.Greater, noon.Add(-12*time.Hour)),
		"enrolledDateTime le 2025-02-13T12:00:00.000Z": is(fleet.ByEnrolledAt, fleet.LessOrEqual, noon),
		"isSupervised eq true":                         is(fleet.BySupervised, fleet.Equal, true),
		"startswith(deviceName,'i')":                   is(fleet.ByName, fleet.StartsWith, "i"),
		"endswith(model, 'x')":                         is(fleet.ByModel, fleet.EndsWith, "x"),
		"contains(osVersion,'17')":                     is(fleet.ByOSVersion, fleet.Contains, "17"),
		"not contains(udid,'a')":                       fleet.Not{Condition: is(fleet.ByUDID, fleet.Contains, "a")},
		"not(deviceName eq 'a')":                       fleet.Not{Condition: is(fleet.ByName, fleet.Equal, "a")},
		"operatingSystem in ('iOS','macOS')": fleet.Any{
			is(fleet.ByPlatform, fleet.Equal, "iOS"), is(fleet.ByPlatform, fleet.Equal, "macOS")},
		"operatingSystem in ('iOS')":                 fleet.Any{is(fleet.ByPlatform, fleet.Equal, "iOS")},
		"managementState eq 'managed'":               is(fleet.ByEnrolled, fleet.Equal, true),
		"managementState ne 'managed'":               fleet.Not{Condition: is(fleet.ByEnrolled, fleet.Equal, true)},
		"managementState eq 'wipeIssued'":            fleet.Any{},
		"id eq 0b8ccbe0-5c39-4f0a-9c3c-000000000001": is(fleet.ByID, fleet.Equal, "0b8ccbe0-5c39-4f0a-9c3c-000000000001"),
		"deviceName eq 'a' or deviceName eq 'b' and isSupervised eq false": fleet.Any{
			is(fleet.ByName, fleet.Equal, "a"),
			fleet.All{is(fleet.ByName, fleet.Equal, "b"), is(fleet.BySupervised, fleet.Equal, false)}},
		"(deviceName eq 'a' or deviceName eq 'b') and isSupervised eq false": fleet.All{
			fleet.Any{is(fleet.ByName, fleet.Equal, "a"), is(fleet.ByName, fleet.Equal, "b")},
			is(fleet.BySupervised, fleet.Equal, false)},
		"deviceName eq 'a' or deviceName eq 'b' or deviceName eq 'c'": fleet.Any{
			is(fleet.ByName, fleet.Equal, "a"), is(fleet.ByName, fleet.Equal, "b"), is(fleet.ByName, fleet.Equal, "c")},
	} {
		got, err := parseFilter(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %#v, %v\nwant %#v", text, got, err, want)
		}
	}
}

func TestParseFilterRefuses(t *testing.T) {
	for text, named := range map[string]string{
		"":                                    "$filter",
		"deviceName":                          "deviceName",
		"isSupervised":                        "isSupervised",
		"'a' eq deviceName":                   "property",
		"deviceName eq":                       "$filter",
		"deviceName eq 'a":                    "'a",
		"deviceName eq 7":                     "7",
		"deviceName eq true":                  "deviceName",
		"deviceName eq 'a' deviceName":        "deviceName",
		"deviceName gt null":                  "deviceName",
		"colour eq 'red'":                     "colour",
		"DeviceName eq 'a'":                   "DeviceName",
		"complianceState eq 'x'":              "complianceState",
		"managementState eq 'x'":              "managementState",
		"managementState gt 'managed'":        "managementState",
		"isSupervised gt true":                "isSupervised",
		"lastSyncDateTime eq '2025-02-13'":    "lastSyncDateTime",
		"lastSyncDateTime gt 2025-13-01":      "lastSyncDateTime",
		"contains(lastSyncDateTime,'2')":      "lastSyncDateTime",
		"contains(deviceName)":                "$filter",
		"contains(deviceName,'a') eq true":    "property",
		"tolower(deviceName) eq 'a'":          "$filter",
		"length(deviceName) gt 3":             "$filter",
		"deviceName in ()":                    "$filter",
		"deviceName in 'a'":                   "in",
		"deviceName in ('a',true)":            "deviceName",
		"not deviceName eq 'a'":               "not",
		"(deviceName eq 'a'":                  "$filter",
		"deviceName eq 'a' and":               "$filter",
		"deviceName eq 'a' and 'b'":           "'b'",
		"deviceActionResults/any(a:a eq 'b')": "$filter",
		"id eq 'a'; drop table devices":       "drop",
		strings.Repeat("deviceName eq 'abcdefghij' or ", 200) + "id eq 'a'": "4096",
		strings.Repeat("id eq 'a' or ", 200) + "id eq 'a'":                  "200",
	} {
		got, err := parseFilter(text)
		var f *fault
		if !errors.As(err, &f) || f.status != http.StatusBadRequest || !strings.Contains(f.message, named) {
			t.Errorf("%.60s: got %#v, %v; want a 400 that names %s", text, got, err, named)
		}
	}
}

// FuzzOptions holds that no query string panics, and that what is accepted is within its bounds.
func FuzzOptions(f *testing.F) {
	for _, seed := range []string{
		"$filter=deviceName%20eq%20'a'&$top=5", "$top=-1", "$filter=not%20(contains(id,'a')%20and%20isSupervised%20eq%20true)",
		"$orderby=lastSyncDateTime%20desc&$count=true", "$select=id,deviceName", "$skiptoken=e30", "$filter=id%20in%20(null,'a')",
		"$filter=((((", "$filter=not%20not%20id%20eq%20'a'", "$filter=id,id", "$filter=in%20(,)", "$filter=eq%20eq%20eq%20eq",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		options, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		c := &call{options: options}
		_, selectErr := c.selected(devicePropertyNames)
		_, countErr := counted(options)
		q, err := c.deviceQuery()
		for _, err := range []error{err, selectErr, countErr} {
			var bad *fault
			if err != nil && (!errors.As(err, &bad) || bad.status != http.StatusBadRequest) {
				t.Fatalf("%q: %v is not a 400", query, err)
			}
		}
		if err == nil && (q.Limit < 0 || q.Limit > largestPage) {
			t.Fatalf("%q: a page of %d", query, q.Limit)
		}
		if err == nil && options.Has(optionFilter) && q.Where == nil {
			t.Fatalf("%q: the filter is ignored", query)
		}
	})
}
