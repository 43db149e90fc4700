package test

import (
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/activation"
	google "github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

func startAndroidKilled(t *testing.T, devices int) *androidKilled {
	s := &site{T: t}
	k := &androidKilled{killed: &killed{site: s, last: make([]atomic.Pointer[[]payload], devices)},
		google: startKilledGoogle(t), tried: make([]atomic.Int64, devices),
		versions: make([]int64, devices)}
	socket, err := activation.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	k.program = &program{T: t, path: servertest.Program(t), data: t.TempDir(), socket: socket}
	s.config, s.url = server.Config{DataDir: k.program.data}, "https://"+socket.Addr()
	s.config.Database = filepath.Join(k.program.data, server.DatabaseFile)
	if storetest.Postgres() {
		s.config.Database = storetest.NewDatabase(t)
		k.program.db = []string{"--db", s.config.Database}
	}
	k.flags = []string{"--android-url", k.google.URL, "--rate-limit", "0", "--retry-base", "100ms",
		"--poll-base", "100ms", "--log-level", "ERROR"}
	k.program.start(k.flags...)
	t.Cleanup(k.program.kill)
	token, err := exec.Command(k.program.path, slices.Concat([]string{"token", "create", "--data",
		k.program.data, "admin"}, k.program.db)...).Output()
	if err != nil {
		t.Fatalf("making a token: %v", err)
	}
	k.token = strings.TrimSpace(string(token))
	k.up(30 * time.Second)
	k.enrollAndroids(devices)
	return k
}

func (k *androidKilled) enrollAndroids(devices int) {
	k.Helper()
	wifi, rules, app := k.androidPolicies()
	k.all = []payload{wifi, rules, app,
		k.give(configurations, "deviceConfiguration", "Android guests", map[string]any{
			"@odata.type": "#microsoft.graph.androidDeviceOwnerWiFiConfiguration",
			"displayName": "Android guests", "networkName": "Guests", "ssid": "Android guests",
			"wiFiSecurityType": "open"}),
		k.give(configurations, "deviceConfiguration", "bluetoothConfigDisabled", map[string]any{
			"@odata.type": "#microsoft.graph.androidDeviceOwnerGeneralDeviceConfiguration",
			"displayName": "Android Bluetooth", "bluetoothBlockConfiguration": true}),
		k.give(apps, "application", "com.example.mail", map[string]any{
			"@odata.type": "#microsoft.graph.androidManagedStoreApp", "displayName": "Mail",
			"packageId": "com.example.mail"})}
	c, err := client.New(client.Config{URL: k.url, Token: k.token, HTTPClient: k.http})
	if err != nil {
		k.Fatal(err)
	}
	must := func(err error) {
		if k.Helper(); err != nil {
			k.Fatal(err)
		}
	}
	_, err = c.SetAndroidServiceAccount(k.Context(), k.google.KeyFile(k.T))
	must(err)
	link, err := c.BeginAndroidSignup(k.Context(), "")
	must(err)
	_, err = c.FinishAndroidSignup(k.Context(),
		k.google.FollowSignup(k.T, link).Query().Get("enterpriseToken"), "")
	must(err)
	token, err := c.CreateAndroidToken(k.Context(), client.AndroidTokenOptions{
		Mode: client.AndroidFullyManaged, ExpiresIn: time.Hour})
	must(err)
	for i := range devices {
		d, err := k.google.Enroll(token.Value, fmt.Sprintf("KILL%02d", i), google.DeviceOptions{
			SystemApps: []string{"com.android.settings"}, // a list without any app proves nothing
			Faults:     google.Faults{RepeatReports: 0.3, SwapReports: 0.2, AppReports: 1}})
		must(err)
		k.androids = append(k.androids, &android{Device: d})
	}
	k.soon("all devices are known", func() bool {
		var list struct {
			Value []struct{ ID, SerialNumber string }
		}
		k.must("GET", "/beta/deviceManagement/managedDevices?$select=id,serialNumber", nil, &list)
		for _, one := range list.Value {
			for _, d := range k.androids {
				if d.Serial() == one.SerialNumber {
					d.id = one.ID
				}
			}
		}
		return len(list.Value) == devices
	})
}

// soon waits until ok, in real time: a process has no clock that could be moved.
func (k *androidKilled) soon(what string, ok func() bool) {
	k.Helper()
	for end := time.Now().Add(3 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			k.Fatalf("never: %s", what)
		}
	}
}

// endLeases is the two minutes after which the leases of a process that ended are over: with them
// every device would wait most of the test.
func (k *androidKilled) endLeases() {
	driver, location := "sqlite3", "file:"+k.config.Database+"?_pragma=busy_timeout(5000)"
	if store.IsPostgres(k.config.Database) {
		driver, location = "pgx", k.config.Database
	}
	db, err := sql.Open(driver, location)
	if err == nil {
		_, err = db.Exec("UPDATE leases SET until = 0 WHERE name LIKE 'android/device/%'")
	}
	if err != nil {
		k.Fatal(err)
	}
	if err := db.Close(); err != nil {
		k.Fatal(err)
	}
}

func (k *androidKilled) comparePostings() {
	db, err := store.Open(k.Context(), k.config.Database)
	if err != nil {
		k.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			k.Error(err)
		}
	}()
	for i, d := range k.androids {
		e, err := db.AndroidEnrollmentOf(k.Context(), fleet.DeviceID(d.id))
		if err != nil {
			k.Fatal(err)
		}
		list, err := db.AndroidPostings(k.Context(), e.Name)
		if err != nil {
			k.Fatal(err)
		}
		_, version := d.PolicyVersion()
		if len(list) == 0 || list[0].Version != version {
			k.Errorf("device %d has version %d; the postings are %+v", i, version, list)
		}
		for j, p := range list[min(1, len(list)):] {
			if p.Version >= list[j].Version || p.Mark >= list[j].Mark || p.Version == 0 {
				k.Errorf("device %d: posting %d, %d came before %d, %d", i, p.Mark, p.Version,
					list[j].Mark, list[j].Version)
			}
		}
	}
}
