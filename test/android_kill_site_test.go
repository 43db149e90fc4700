package test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	google "github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

func startAndroidKilled(t *testing.T, devices int) *androidKilled {
	g := startKilledGoogle(t)
	k := &androidKilled{killed: startKilled(t, devices, "--android-url", g.URL, "--rate-limit",
		"0"), google: g, versions: make([]int64, devices)}
	k.pause = 300 * time.Millisecond
	k.whileDown = func() {
		g.kills.Add(1)
		k.endLeases()
	}
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
	for _, d := range k.androids {
		k.deviceIDs = append(k.deviceIDs, d.id)
	}
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
