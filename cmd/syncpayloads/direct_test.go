package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

// directWorld is an Intune tenant, for the program to be used on without a server.
type directWorld struct {
	*testing.T
	site   *simulator.Site
	url    string
	tenant *simulator.Tenant
	app    *simulator.App
	phone  *simulator.Device
	items  []*simulator.Item
	env    []string
	home   string
}

var directRights = []string{"DeviceManagementManagedDevices.Read.All",
	"DeviceManagementConfiguration.Read.All",
	"DeviceManagementManagedDevices.PrivilegedOperations.All"}

func newDirectWorld(t *testing.T, o simulator.Options) *directWorld {
	t.Parallel()
	w := &directWorld{T: t, site: simulator.New(o), home: t.TempDir()}
	server := httptest.NewServer(w.site)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.tenant = w.site.AddTenant("Contoso")
	w.app = w.tenant.Register("cli", directRights...)
	w.phone = w.tenant.Enroll(simulator.DeviceOptions{Name: "Ada's iPhone"})
	w.tenant.Enroll(simulator.DeviceOptions{Name: "Other"})
	for _, name := range []string{"Wi-Fi", "Mail", "VPN"} {
		w.items = append(w.items, w.tenant.AddItem(simulator.ItemOptions{Name: name,
			Type: simulator.ConfigurationPolicy, AllDevices: true}))
	}
	w.env = []string{"SYNCPAYLOADS_URL=" + w.url, "SYNCPAYLOADS_AUTHORITY=" + w.url,
		"XDG_CONFIG_HOME=" + w.home, "SYNCPAYLOADS_TENANT=" + w.tenant.ID,
		"SYNCPAYLOADS_CLIENT_ID=" + w.app.ID}
	// Whatever a test does, a device was asked for nothing else.
	t.Cleanup(func() {
		if bad := append(w.site.Unexpected(), w.site.Forbidden()...); len(bad) > 0 {
			t.Errorf("requests that should not be: %+v", bad)
		}
	})
	return w
}

// asApp has the program prove itself as the app.
func (w *directWorld) asApp() {
	w.env = append(w.env, "SYNCPAYLOADS_CLIENT_SECRET="+w.app.AddSecret(time.Hour))
}

func (w *directWorld) run(args ...string) outcome {
	w.Helper()
	return runProgram(w.T, w.env, args...)
}

func (w *directWorld) toBeOff(items ...*simulator.Item) {
	w.Helper()
	var want []string
	for _, i := range items {
		want = append(want, i.ID)
	}
	slices.Sort(want)
	if got := w.phone.ToBeOff(); !slices.Equal(got, want) {
		w.Errorf("to be off is %v, want %v", got, want)
	}
}

func (w *directWorld) posts() int {
	n := 0
	for _, r := range w.site.Requests() {
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/changeAssignments") {
			n++
		}
	}
	return n
}

func TestDirectRemovesAndRestores(t *testing.T) {
	w := newDirectWorld(t, simulator.Options{CheckInAfter: 10 * time.Millisecond})
	w.asApp()
	list := w.run("device", "list", "--filter", "deviceName eq 'Ada''s iPhone'")
	list.want(t, 0, w.phone.ID)
	if strings.Contains(list.stdout, "Other") {
		t.Error("a filter that Graph leaves unheeded was not held against the rows")
	}
	w.run("device", "list", "--filter", "contains(deviceName,'A')").want(t, 1, "joined by and")
	w.run("payload", "list", w.phone.Serial).want(t, 0, "reported by Intune", "Wi-Fi", "assigned")
	w.run("restore", "ada's iphone", "Mail").want(t, 1, "is not removed")
	w.run("remove", "--wait", "--poll", "1s", "ada's iphone", "Wi-Fi").want(t, 0, "removed",
		"reported by Intune")
	w.toBeOff(w.items[0])

	// What another admin took off stays in the set.
	admin := w.tenant.AddAdmin("grace")
	if err := admin.ChangeAssignments(w.phone, w.items[1]); err != nil {
		t.Fatal(err)
	}
	w.run("remove", "--wait", "--poll", "1s", w.phone.ID, "VPN").want(t, 0, "staying off", "Mail")
	w.toBeOff(w.items[1], w.items[2])
	w.run("restore", "--wait", "--poll", "1s", w.phone.ID, "VPN").want(t, 0, "restored")
	w.toBeOff(w.items[1])
	w.run("payload", "list", w.phone.ID).want(t, 0, "by Intune, 8 to 24 hours after")
	w.run("watch", "--json", w.phone.ID).want(t, 0, `"evidence":"reported by Intune"`)
	w.run("device", "sync", w.phone.ID).want(t, 0)
	w.run("watch", w.phone.ID).want(t, 0, "Mail") // and not the check-in
	w.run("restore", w.phone.ID).want(t, 0, "restoring everything")
	w.toBeOff()
}

func TestDirectExitCodes(t *testing.T) {
	w := newDirectWorld(t, simulator.Options{CheckInAfter: 10 * time.Millisecond})
	w.asApp()
	w.run("remove", "--restore-after", "1h", w.phone.ID, "Mail").want(t, 1, "8 to 24 hours")
	w.run("apns", "show").want(t, exitUsage)
	w.run("remove", w.phone.ID, "Nothing").want(t, 1, "no payload with the id or name")
	w.run("payload", "list", "nobody").want(t, 1, "there is no device")
	w.toBeOff()
	w.phone.Fail(w.items[1], 42, "The profile is locked.")
	w.run("remove", "--wait", "--poll", "1s", w.phone.ID, "Mail").want(t, exitPayloads,
		"The profile is locked.", "code 42")
	w.phone.SetOnline(false)
	w.run("remove", "--wait", "--timeout", "1500ms", "--poll", "1s", w.phone.ID, "VPN").want(t,
		exitTimeout, "has not ended")
	w.app.Grant(directRights[:2]...)
	w.run("remove", w.phone.ID, "Wi-Fi").want(t, 1, "403")
}

func TestDirectBoundsTheSet(t *testing.T) {
	w := newDirectWorld(t, simulator.Options{})
	w.asApp()
	args := []string{"remove", w.phone.ID}
	for i := range 31 {
		name := fmt.Sprintf("Policy %d", i)
		w.tenant.AddItem(simulator.ItemOptions{Name: name, Type: simulator.ConfigurationPolicy,
			AllDevices: true})
		args = append(args, name)
	}
	w.run(args...).want(t, 1, "31 payloads", "at most 30")
	w.run(args[:32]...).want(t, 0)
	w.run("remove", w.phone.ID, "Policy 30").want(t, 1, "at most 30")
	if n := w.posts(); n != 1 {
		t.Errorf("%d sets were handed over, want 1", n)
	}
}

// A lost answer is not taken for a failure, and what was done is not done again.
func TestDirectLostAnswer(t *testing.T) {
	w := newDirectWorld(t, simulator.Options{})
	w.asApp()
	w.site.Ask(simulator.Trouble{Path: "/changeAssignments", AfterEffect: true})
	w.run("remove", w.phone.ID, "Mail").want(t, 0)
	if n := w.posts(); n != 1 {
		t.Errorf("handed over %d times, want once", n)
	}
	w.toBeOff(w.items[1])
}

// The page that a list names next may be on another host: no token goes there.
func TestDirectTokenStaysHome(t *testing.T) {
	got := make(chan string, 10)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Authorization")
	}))
	defer thief.Close()
	w := newDirectWorld(t, simulator.Options{Faults: simulator.Faults{
		ForeignNextLink: thief.URL, PageSizes: true}})
	w.asApp()
	for i := range 100 {
		w.tenant.Enroll(simulator.DeviceOptions{Name: fmt.Sprint("Phone ", i)})
	}
	for range 5 {
		w.run("device", "list")
	}
	w.run("device", "list", "--url", "https://graph.example").want(t, 2, "no token for Graph")
	w.run("device", "list", "--url", "https://graph.microsoft.com").want(t, 2,
		"tokens for https://graph.microsoft.com come from https://login.microsoftonline.com")
	if len(got) > 0 {
		t.Errorf("another host got %q", <-got)
	}
}

func TestDirectLogin(t *testing.T) {
	w := newDirectWorld(t, simulator.Options{})
	w.run("device", "list").want(t, 2, "not signed in", "syncpayloads login")
	w.app.GrantDelegated(directRights...)
	admin := w.tenant.AddAdmin("ada")
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	command := invocation(ctx, t, w.env, "login")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	code := regexp.MustCompile(`enter the code (\S+) `).FindStringSubmatch(lines.Text())
	if code == nil || !strings.Contains(lines.Text(), w.url+"/devicelogin") {
		t.Fatalf("login said %q", lines.Text())
	}
	admin.EnterCode(code[1])
	for lines.Scan() {
	}
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(w.home, "syncpayloads", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the sign-in has mode %v: %v", info.Mode(), err)
	}
	w.run("device", "list").want(t, 0, "Ada's iPhone")

	// A token that ends soon is renewed, and kept.
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	old := regexp.MustCompile(`"expiry":"[^"]*"`).ReplaceAll(text,
		[]byte(`"expiry":"2020-01-01T00:00:00Z"`))
	if err := os.WriteFile(files[0], old, 0o600); err != nil {
		t.Fatal(err)
	}
	w.run("remove", w.phone.ID, "Mail").want(t, 0)
	w.toBeOff(w.items[1])
	if renewed, err := os.ReadFile(files[0]); err != nil || string(renewed) == string(old) {
		t.Errorf("the renewed sign-in was not kept: %v", err)
	}
	foreign := strings.Replace(string(text), `"authority":"`+w.url, `"authority":"https://x.example`, 1)
	if err := os.WriteFile(files[0], []byte(foreign), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run("device", "list").want(t, 1, "authority")
}
