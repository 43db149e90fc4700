package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// refusedWith holds that an error is one that the caller is told, with one of these statuses.
func refusedWith(t *testing.T, err error, statuses ...int) {
	t.Helper()
	var f *odata.Fault
	if !errors.As(err, &f) {
		t.Fatalf("%v is not told to the caller", err)
	}
	for _, status := range statuses {
		if f.Status == status && f.Message != "" && utf8.ValidString(f.Message) {
			return
		}
	}
	t.Fatalf("status %d, %q", f.Status, f.Message)
}

// parsed is parseObject, which takes nothing that is not JSON, and takes what is, as far as it is
// within the bounds; and that fast, without many times the memory of the body.
func parsed(t *testing.T, body []byte) (*odata.Object, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	o, err := odata.ParseObject(body)
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; took > 2*time.Second || bytes > 64<<20 {
		t.Fatalf("%d bytes of JSON took %s and %d bytes", len(body), took, bytes)
	}
	if err == nil && !bytes.ContainsRune(body, 0) && // UTF-16
		!json.Valid(bytes.TrimPrefix(body, []byte("\ufeff"))) {
		t.Fatalf("%q was taken for JSON", body)
	}
	if err != nil && json.Valid(body) && strings.Contains(err.Error(), "valid JSON") &&
		utf8.Valid(body) {
		t.Fatalf("%q is JSON: %v", body, err)
	}
	return o, err
}

func FuzzActionBody(f *testing.F) {
	for _, seed := range []string{
		`{"deviceActionPayloads":[{"payloadId":"0b8ccbe0-5c39-4f0a-9c3c-000000000001","payloadType":"application","intent":"remove"}]}`,
		`{"deviceAssignmentItems":[{"itemId":"A","itemType":"mobileAppConfiguration"}]}`,
		`{"deviceActionPayloads":[]}`,
		`{"deviceActionPayloads":[{"@odata.type":"x","payloadId":"a","payloadType":"application","detail":null}]}`,
		`{"deviceActionPayloads":[{"payloadId":"a","payloadType":"application"},{"payloadId":"A","payloadType":"application"}]}`,
		`{"#a":1,"@b":2,"a@odata.type":3,"@odata.type":"x"}`, "\ufeff{}", `{"a":"\u0000"}`,
		`{"a":[1,]}`, `{"a":1,}`, `{} {}`,
		`{"a":[` + strings.Repeat("[],", 60_000) + `0]}`, `{"a":` + strings.Repeat("1", 200) + `}`,
		strings.Repeat(`{"a":`, 40),
		`[]`, `{`, `{"a":1,"a":2}`, `{"a":[[[[{}]]]]}`, `1 2`, "\xff", `{"a":"\ud800"}`,
		`{"deviceActionPayloads":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		defer cost.Input(t)()
		o, err := parsed(t, body)
		if err != nil {
			refusedWith(t, err, http.StatusBadRequest)
			return
		}
		for _, w := range []*wording{syncPayloads, changeAssignments} {
			stated, err := w.selections(o)
			if err != nil {
				refusedWith(t, err, http.StatusBadRequest)
				continue
			}
			set, seen := stated.set, map[action.PayloadID]bool{}
			for i, s := range set {
				if stated.at[i] < i {
					t.Fatalf("element %d is at %d", i, stated.at[i])
				}
				if s.ID == "" || utf8.RuneCountInString(string(s.ID)) > payloadIDLimit ||
					seen[s.ID] || int(s.Type) >= len(w.kinds) {
					t.Fatalf("accepted %+v", set)
				}
				seen[s.ID] = true
			}
			if len(set) > action.MaxPayloads {
				t.Fatalf("accepted %d payloads", len(set))
			}
		}
	})
}

// FuzzPayloadBody holds that what a body of the catalog says is kept, and given back as JSON of the
// same meaning.
func FuzzPayloadBody(f *testing.F) {
	for _, seed := range []string{
		`{"displayName":"x","publisher":null,"licensingType":{"supportsDeviceLicensing":true},"largeIcon":{"value":1.50e3}}`,
		`{"payload":"AAEC","payloadFileName":"a"}`,
		`{"assignments":[{"target":{"@odata.type":"#syncpayloads.deviceAssignmentTarget","deviceId":"x"}}]}`,
		`{"mobileAppAssignments":[{"intent":"required","target":{"@odata.type":"#microsoft.graph.allDevicesAssignmentTarget"}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		defer cost.Input(t)()
		o, err := odata.ParseObject(body)
		if err != nil {
			refusedWith(t, err, http.StatusBadRequest)
			return
		}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := odata.ParseObject(text)
		if err != nil || !reflect.DeepEqual(o, again) {
			t.Fatalf("%s became %s, %v", body, text, err)
		}
		for _, k := range kinds {
			if _, err := k.readAssignments(o); err != nil {
				refusedWith(t, err, http.StatusBadRequest)
			}
			for _, form := range appleForms.In(k.of) {
				if _, err := readPatch(o, form); err != nil {
					refusedWith(t, err, http.StatusBadRequest)
				}
			}
		}
	})
}

func FuzzRestoreAfter(f *testing.F) {
	for _, seed := range []string{"0", "28800", "8h", "1.5h", "PT8H", "P1DT2H3M4S", "P52W", "PT",
		"P", "P1DT",
		"-1", "366d", "PT999999999S", "P9999W", "0x10"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		defer cost.Input(t)()
		d, err := restoreAfter(http.Header{restoreAfterHeader: {value}})
		if err != nil {
			refusedWith(t, err, http.StatusBadRequest)
		} else if *d < 0 || *d > restoreAfterLimit {
			t.Fatalf("%q is taken for %s", value, *d)
		}
	})
}

func TestRepeatedRestoreAfter(t *testing.T) {
	if d, err := restoreAfter(http.Header{restoreAfterHeader: {"1h", "2h"}}); err == nil {
		t.Errorf("taken for %s", d)
	}
}
