package simulator_test

import (
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

// mirrored are the properties by which a client copies the devices of a tenant.
const mirrored = "id,deviceName,managedDeviceName,operatingSystem,osVersion,deviceType," +
	"deviceEnrollmentType,managementAgent,managementState,managedDeviceOwnerType,isSupervised," +
	"userId,userPrincipalName,azureADDeviceId,serialNumber,model,manufacturer,enrolledDateTime," +
	"lastSyncDateTime,roleScopeTagIds"

// A full list is a request for each 1,000 devices, and costs little beside the bytes that it has.
func TestLargeTenant(t *testing.T) {
	const devices, perDevice = 20_000, 8000 // of bytes that a device and its row may take
	var before, made, after runtime.MemStats
	c := newClosed(t)
	runtime.ReadMemStats(&before)
	user := c.tenant.AddUser("uma")
	for i := range devices - 1 {
		c.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.Kind(i % 5), User: user})
	}
	runtime.ReadMemStats(&made)
	begun := time.Now()
	path := "/beta/deviceManagement/managedDevices?$select=" + mirrored
	rows, pages, size := 0, 0, 0
	for path != "" {
		w := c.send(http.MethodGet, path, "", "")
		var page struct {
			Value []json.RawMessage `json:"value"`
			Next  string            `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
			t.Fatal(w.Code, err)
		}
		rows, pages, size = rows+len(page.Value), pages+1, size+w.Body.Len()
		path = strings.TrimPrefix(page.Next, "https://graph.example.com")
	}
	lasted := time.Since(begun)
	runtime.ReadMemStats(&after)
	if rows != devices || pages != 20 {
		t.Errorf("%d devices in %d pages", rows, pages)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > devices*perDevice {
		t.Errorf("%d bytes were allocated", used)
	}
	t.Logf("a device takes %d bytes; the list has %d MB, and took %v and %d MB",
		(made.TotalAlloc-before.TotalAlloc)/devices, size>>20, lasted,
		(after.TotalAlloc-made.TotalAlloc)>>20)
}
