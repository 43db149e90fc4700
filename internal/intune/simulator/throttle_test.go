package simulator_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

func TestBuckets(t *testing.T) {
	w := newWorld(t, simulator.Options{Limits: simulator.Limits{
		Devices: simulator.Limit{Writes: 3, Any: 10}}})
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	sync := managedDevices + "/" + d.ID + "/syncDevice"
	var said []int
	for range 4 {
		said = append(said, w.call(http.MethodPost, sync, nil).status)
	}
	for range 7 {
		said = append(said, w.get(managedDevices).status)
	}
	if want := []int{204, 204, 204, 429, 200, 200, 200, 200, 200, 200,
		429}; !slices.Equal(said, want) {
		t.Errorf("%v", said)
	}
	w.must("deviceManagement/configurationPolicies") // another bucket
	w.clock.Advance(15 * time.Second)
	r := w.get(managedDevices)
	if r.status != 429 || r.header.Get("Retry-After") != "5" || r.code() != "TooManyRequests" {
		t.Errorf("%d %v %s", r.status, r.header, r.text)
	}
	w.site.SetFaults(simulator.Faults{RetryAfter: simulator.RetryDate})
	at, err := http.ParseTime(w.get(managedDevices).header.Get("Retry-After"))
	if err != nil || !at.Equal(start.Add(20*time.Second)) {
		t.Error(at, err)
	}
	w.site.SetFaults(simulator.Faults{RetryAfter: simulator.RetryMissing})
	if r := w.get(managedDevices); r.status != 429 || r.header["Retry-After"] != nil {
		t.Errorf("%d %v", r.status, r.header)
	}
	w.clock.Advance(5 * time.Second)
	w.must(managedDevices)

	rates := w.site.Rates()
	i := slices.IndexFunc(rates, func(r simulator.Rate) bool { return r.Bucket == "devices" })
	if i < 0 || rates[i].Reads != 11 || rates[i].Writes != 4 || rates[i].Refused != 5 ||
		rates[i].App != w.app.ID || !rates[i].Minute.Equal(start) {
		t.Errorf("%+v", rates)
	}
}

// All applications of a tenant have twice the limit of one.
func TestTenantBucket(t *testing.T) {
	w := newWorld(t, simulator.Options{Limits: simulator.Limits{
		Devices: simulator.Limit{Writes: 2, Any: 2}}})
	served := 0
	for i := range 3 {
		a := w.tenant.Register(fmt.Sprint(i), allRoles...)
		w.token = w.signIn(a, a.AddSecret(time.Hour))
		for range 2 {
			if w.get(managedDevices).status == http.StatusOK {
				served++
			}
		}
	}
	if served != 4 {
		t.Errorf("%d were served", served)
	}
}

func TestDocumentedLimits(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	served := 0
	for served < 1000 {
		requests := []map[string]any{}
		for i := range 20 {
			requests = append(requests, map[string]any{"id": strconv.Itoa(i), "method": "POST",
				"url": managedDevices + "/" + d.ID + "/syncDevice"})
		}
		refused := 0
		for _, one := range w.batch(requests) {
			if one["status"] == float64(429) {
				refused++
			}
		}
		if served += 20 - refused; refused > 0 {
			break
		}
	}
	if served != 200 {
		t.Errorf("%d writes were served", served)
	}
}

func (w *world) batch(requests []map[string]any) []map[string]any {
	w.Helper()
	r := w.call(http.MethodPost, "$batch", map[string]any{"requests": requests})
	if r.status != http.StatusOK {
		w.Fatalf("%d %s", r.status, r.text)
	}
	var list []map[string]any
	for _, one := range r.body["responses"].([]any) {
		list = append(list, one.(map[string]any))
	}
	return list
}

func TestBatch(t *testing.T) {
	w := newWorld(t, simulator.Options{Faults: simulator.Faults{OctetStream: true},
		Limits: simulator.Limits{Devices: simulator.Limit{Any: 2}}})
	p := w.policies("a")
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	one := "/" + managedDevices + "/" + d.ID
	json := map[string]string{"Content-Type": "application/json"}
	step := func(id, method, url string) map[string]any {
		return map[string]any{"id": id, "method": method, "url": url}
	}
	act := step("1", "POST", one+"/changeAssignments")
	act["headers"], act["body"] = json, set(p...)
	bare := step("2", "POST", one+"/changeAssignments")
	bare["body"] = set(p...)
	after := step("3", "GET", one)
	after["dependsOn"] = []string{"2"}
	report := step("6", "POST", "deviceManagement/reports/getConfigurationPoliciesReportForDevice")
	report["headers"], report["body"] = json, reportBody(d.ID)
	got := w.batch([]map[string]any{act, bare, after, step("4", "GET", one+"?$select=id"),
		step("5", "GET", one), report, step("7", "GET", w.url+"/beta/organization")})
	var said []string
	for _, one := range got {
		said = append(said, fmt.Sprint(one["id"], " ", one["status"]))
	}
	if want := "1 204,2 400,3 424,4 200,5 429,6 200,7 400"; strings.Join(said, ",") != want {
		t.Fatal(said)
	}
	if id := got[3]["body"].(map[string]any)["id"]; id != d.ID {
		t.Error(got[3])
	}
	if got[4]["headers"].(map[string]any)["Retry-After"] != "20" {
		t.Error(got[4])
	}
	if text, ok := got[5]["body"].(string); !ok || !strings.HasPrefix(text, "eyJ") {
		t.Error(got[5])
	}
	w.site.SetFaults(simulator.Faults{BatchOrder: true})
	var many []map[string]any
	for i := range 20 {
		many = append(many, step(strconv.Itoa(i), "GET", "/organization"))
	}
	ordered := true
	for i, one := range w.batch(many) {
		ordered = ordered && one["id"] == strconv.Itoa(i)
	}
	if ordered {
		t.Error("the answers have the order of the requests")
	}
	for name, bad := range map[string]any{"21": append(many, step("x", "GET", "/organization")),
		"none": []any{}, "twice": []any{many[0], many[0]}, "no url": []any{step("1", "GET", "")},
		"later": []any{map[string]any{"id": "1", "method": "GET", "url": "/organization",
			"dependsOn": []string{"2"}}}, "itself": []any{step("1", "POST", "/$batch")}} {
		r := w.call(http.MethodPost, "$batch", map[string]any{"requests": bad})
		if r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, r.status, r.text)
		}
	}
}

func TestTroubles(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	p := w.policies("a")
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	w.site.Ask(simulator.Trouble{Path: "/changeAssignments", Status: 503})
	if r := w.act(d, p...); r.status != 503 {
		t.Error(r.status)
	}
	w.saysOf(d, "nothing")
	w.site.Ask(simulator.Trouble{Path: "/changeAssignments", Status: 504, AfterEffect: true,
		Skip: 1})
	w.mustAct(d)
	if r := w.act(d, p...); r.status != 504 || r.code() != "GatewayTimeout" {
		t.Error(r.status)
	}
	w.saysOf(d, "pending a:remove:initiated")
	w.site.Ask(simulator.Trouble{Method: "GET", Status: 429, RetryAfter: "7", Times: 2})
	for range 2 {
		if r := w.get(managedDevices); r.status != 429 || r.header.Get("Retry-After") != "7" {
			t.Error(r.status)
		}
	}
	w.site.Ask(simulator.Trouble{AfterEffect: true})
	if _, err := w.try("POST", managedDevices+"/"+d.ID+"/syncDevice", nil); err == nil {
		t.Error("the connection was not cut")
	}
	if got := w.results(d, "syncDevice"); len(got) != 1 {
		t.Error(got)
	}
	if got := w.site.Requests(); len(got) != 9 || got[8].Status != 200 || got[7].Status != 0 {
		t.Errorf("%+v", got)
	}
}

// The clock of the Site is in the header Date, by which clients measure.
func TestDateHeader(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.clock.Advance(time.Minute)
	r := w.must(managedDevices)
	if at, err := http.ParseTime(r.header.Get("Date")); err != nil ||
		!at.Equal(start.Add(time.Minute)) || r.header.Get("request-id") == "" {
		t.Error(r.header)
	}
}
