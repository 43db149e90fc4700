package simulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// allRoles are the application permissions that everything here needs.
var allRoles = []string{"DeviceManagementManagedDevices.Read.All",
	"DeviceManagementConfiguration.Read.All", "DeviceManagementApps.Read.All",
	"DeviceManagementManagedDevices.PrivilegedOperations.All", "Organization.Read.All"}

// world is a tenant with an application that may do everything.
type world struct {
	*testing.T
	clock  *clocktest.Clock
	site   *simulator.Site
	url    string
	tenant *simulator.Tenant
	app    *simulator.App
	secret string
	token  string
}

func newWorld(t *testing.T, o simulator.Options) *world {
	t.Helper()
	w := &world{T: t, clock: clocktest.New(start)}
	o.Clock = w.clock
	w.site = simulator.New(o)
	server := httptest.NewServer(w.site)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.tenant = w.site.AddTenant("Contoso")
	w.app = w.tenant.Register("syncpayloads", allRoles...)
	w.secret = w.app.AddSecret(100 * 365 * 24 * time.Hour) // histories are years long
	w.token = w.signIn(w.app, w.secret)
	return w
}

// post sends a form to the token service.
func (w *world) post(endpoint string, form url.Values) (int, map[string]any) {
	w.Helper()
	response, err := http.PostForm(w.url+"/"+w.tenant.ID+"/oauth2/v2.0/"+endpoint, form)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		w.Fatal(err)
	}
	return response.StatusCode, body
}

func (w *world) signIn(a *simulator.App, secret string) string {
	w.Helper()
	status, body := w.post("token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {a.ID}, "client_secret": {secret}, "scope": {w.url + "/.default"}})
	if status != http.StatusOK {
		w.Fatal(status, body)
	}
	return body["access_token"].(string)
}

// advance moves the clock, and signs in again, because tokens end.
func (w *world) advance(d time.Duration) {
	w.Helper()
	w.clock.Advance(d)
	w.token = w.signIn(w.app, w.secret)
}

// reply is an answer of Graph.
type reply struct {
	status int
	header http.Header
	text   []byte
	body   map[string]any
}

// code is the code of an error.
func (r reply) code() string {
	e, _ := r.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

func (r reply) list() []map[string]any {
	var list []map[string]any
	values, _ := r.body["value"].([]any)
	for _, one := range values {
		list = append(list, one.(map[string]any))
	}
	return list
}

// call sends a request to Graph. The body is JSON, or nil.
func (w *world) call(method, path string, body any) reply {
	w.Helper()
	r, err := w.try(method, path, body)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) try(method, path string, body any) (reply, error) {
	w.Helper()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			w.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	if !strings.HasPrefix(path, "http") {
		path = w.url + "/beta/" + path
	}
	request, err := http.NewRequest(method, path, content)
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+w.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	r := reply{status: response.StatusCode, header: response.Header}
	if r.text, err = io.ReadAll(response.Body); err != nil {
		return reply{}, err
	}
	_ = json.Unmarshal(r.text, &r.body)
	return r, nil
}

func (w *world) get(path string) reply { w.Helper(); return w.call(http.MethodGet, path, nil) }

// must is get of what there is.
func (w *world) must(path string) reply {
	w.Helper()
	r := w.get(path)
	if r.status != http.StatusOK {
		w.Fatalf("%s: %d %s", path, r.status, r.text)
	}
	return r
}

// query is a path with options.
func query(path string, options ...string) string {
	values := make(url.Values)
	for i := 0; i < len(options); i += 2 {
		values.Set(options[i], options[i+1])
	}
	return path + "?" + values.Encode()
}

const managedDevices = "deviceManagement/managedDevices"

// set is the body of changeAssignments.
func set(items ...*simulator.Item) map[string]any {
	list := []map[string]any{}
	for _, i := range items {
		list = append(list, map[string]any{"itemId": i.ID, "itemType": i.Type,
			"assignmentItemActionIntent": "remove"})
	}
	return map[string]any{"deviceAssignmentItems": list}
}

func (w *world) act(d *simulator.Device, items ...*simulator.Item) reply {
	w.Helper()
	return w.call(http.MethodPost, managedDevices+"/"+d.ID+"/changeAssignments", set(items...))
}

// mustAct is act that is accepted.
func (w *world) mustAct(d *simulator.Device, items ...*simulator.Item) {
	w.Helper()
	if r := w.act(d, items...); r.status != http.StatusNoContent || len(r.text) > 0 {
		w.Fatalf("%d %s", r.status, r.text)
	}
}

// results are the elements of deviceActionResults with a name.
func (w *world) results(d *simulator.Device, name string) []map[string]any {
	w.Helper()
	var list []map[string]any
	path := query(managedDevices+"/"+d.ID, "$select", "id,deviceActionResults")
	for _, one := range w.must(path).body["deviceActionResults"].([]any) {
		if one := one.(map[string]any); one["actionName"] == name {
			list = append(list, one)
		}
	}
	return list
}

// said is the newest result as `name:intent:status`, in the order of the names.
func (w *world) said(d *simulator.Device) string {
	w.Helper()
	list := w.results(d, "changeAssignments")
	if len(list) == 0 {
		return "nothing"
	}
	var items []string
	for _, one := range list[0]["deviceAssignmentItems"].([]any) {
		i := one.(map[string]any)
		items = append(items, i["itemDisplayName"].(string)+":"+
			i["assignmentItemActionIntent"].(string)+":"+i["assignmentItemActionStatus"].(string))
	}
	slices.Sort(items)
	return list[0]["actionState"].(string) + " " + strings.Join(items, " ")
}

// policies adds settings catalog policies for all devices.
func (w *world) policies(names ...string) []*simulator.Item {
	var list []*simulator.Item
	for _, name := range names {
		list = append(list, w.tenant.AddItem(simulator.ItemOptions{Name: name, AllDevices: true,
			Type: simulator.ConfigurationPolicy}))
	}
	return list
}

func ids(items ...*simulator.Item) []string {
	list := []string{}
	for _, i := range items {
		list = append(list, i.ID)
	}
	slices.Sort(list)
	return list
}

func (w *world) off(d *simulator.Device, items ...*simulator.Item) {
	w.Helper()
	if got := d.Off(); !slices.Equal(got, ids(items...)) {
		w.Errorf("off is %v, want %v", got, ids(items...))
	}
}

func (w *world) saysOf(d *simulator.Device, want string) {
	w.Helper()
	if got := w.said(d); got != want {
		w.Errorf("the result is %q, want %q", got, want)
	}
}
