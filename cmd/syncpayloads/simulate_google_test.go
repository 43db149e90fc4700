package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// Simulated Android devices enroll with a server that is told where their Google is, get what is
// assigned to them, and end with the program, which says what they came to.
func TestSimulateAndroids(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	google := free.Addr().String()
	config := server.Config{DataDir: servertest.Folder(t), Listen: "127.0.0.1:0",
		Log: slog.New(slog.DiscardHandler)}
	useInPlaceOfGoogle(&config, "http://"+google)
	running, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	_, token, err := running.Tokens().Create(t.Context(),
		access.TokenInput{Name: "simulation", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"SYNCPAYLOADS_URL=" + running.URL(), "SYNCPAYLOADS_TOKEN=" + token,
		"SYNCPAYLOADS_CA=" + running.CAFile()}
	connected := connection{URL: running.URL(), Token: token, CA: running.CAFile()}
	c, err := connected.open()
	if err != nil {
		t.Fatal(err)
	}
	assignOffice(t, c)
	if err := free.Close(); err != nil { // for the program
		t.Fatal(err)
	}

	const devices = 5
	var out, said bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	program := invocation(ctx, t, env, "simulate", "--devices", "1", "--android",
		fmt.Sprint(devices), "--android-listen", google, "--duration", "10s", "--json")
	program.Stdout, program.Stderr = &out, &said
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	for settled := 0; settled < devices; time.Sleep(50 * time.Millisecond) {
		if settled, err = settledAndroids(ctx, c); err != nil && ctx.Err() != nil {
			_ = program.Wait()
			t.Fatalf("%d have what is assigned to them: %v; %s", settled, err, said.String())
		}
	}
	if err := program.Wait(); err != nil {
		t.Fatalf("the program ends with %v: %s", err, said.String())
	}
	r := decode[simulationResult](t, out.String()).Android
	if r == nil || r.Devices != devices || r.PerSecond <= 0 || r.EnrollingSeconds <= 0 {
		t.Errorf("the figures are %+v", r)
	}
	if want := fmt.Sprint(devices, " Android devices enrolled in"); !strings.Contains(said.String(),
		want) {
		t.Errorf("it says %s", said.String())
	}
}

// assignOffice assigns a Wi-Fi network to all Android devices.
func assignOffice(t *testing.T, c *client.Client) {
	t.Helper()
	var made struct{ ID string }
	const path = "/beta/deviceManagement/deviceConfigurations"
	err := c.Do(t.Context(), "POST", path, map[string]any{
		"@odata.type": "#microsoft.graph.androidDeviceOwnerWiFiConfiguration",
		"displayName": "Office", "networkName": "Office", "ssid": "Office",
		"wiFiSecurityType": "open"}, &made)
	if err == nil {
		err = c.Do(t.Context(), "POST", path+"/"+made.ID+"/assign", map[string]any{
			"assignments": []any{map[string]any{"target": map[string]any{
				"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}}}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// settledAndroids counts the Android devices that have all that is assigned to them.
func settledAndroids(ctx context.Context, c *client.Client) (n int, err error) {
	var list struct{ Value []struct{ ID string } }
	err = c.Do(ctx, "GET", "/beta/deviceManagement/managedDevices?$filter=operatingSystem%20eq%20"+
		"'Android'&$select=id", nil, &list)
	if err != nil {
		return 0, err
	}
	for _, d := range list.Value {
		payloads, err := c.Payloads(ctx, d.ID)
		if err != nil {
			return n, err
		}
		if len(payloads) == 1 && payloads[0].Presence == client.Present &&
			payloads[0].Work == client.WorkIdle {
			n++
		}
	}
	return n, nil
}
