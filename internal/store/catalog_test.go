package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

const (
	deviceA = "aaaaaaaa-0000-4000-8000-00000000000a"
	deviceB = "aaaaaaaa-0000-4000-8000-00000000000b"
	nobody  = "aaaaaaaa-0000-4000-8000-0000000000ff"
)

// openCatalog returns a catalog on a database of its own that has the devices A and B.
func openCatalog(t *testing.T) (*store.Store, *catalog.Catalog) {
	t.Helper()
	ctx := t.Context()
	s := storetest.Open(t)
	for _, id := range []fleet.DeviceID{deviceA, deviceB} {
		err := s.Update(ctx, id, func(tx engine.Tx) error {
			return tx.SaveDevice(ctx, &fleet.Device{ID: id, UDID: "udid-" + string(id),
				Platform: fleet.IOS, Enrolled: true})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	return s, catalog.New(s, catalog.MustForms(payload.Forms()), func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}, uuid.NewString)
}

func profile(identifier, id, ssid string) []byte {
	return fmt.Appendf(nil, `<plist version="1.0"><dict><key>PayloadType</key><string>Configuration</string>
		<key>PayloadIdentifier</key><string>%s</string><key>PayloadUUID</key><string>%s</string><key>PayloadVersion</key><integer>1</integer>
		<key>PayloadContent</key><array><dict><key>PayloadType</key><string>com.apple.wifi.managed</string>
		<key>PayloadIdentifier</key><string>%[1]s.wifi</string><key>PayloadUUID</key><string>inner</string>
		<key>PayloadVersion</key><integer>1</integer><key>SSID_STR</key><string>%[3]s</string></dict></array></dict></plist>`, identifier, id, ssid)
}

func wifi(identifier string) catalog.Input {
	return catalog.Input{ODataType: payload.IOSCustomConfiguration,
		DisplayName: "Wi-Fi " + identifier, FileName: "wifi.mobileconfig",
		File: profile(identifier, "U-1", "one"), Properties: []byte(`{"payloadName":"Office"}`)}
}

func create(t *testing.T, c *catalog.Catalog, in catalog.Input) *catalog.Payload {
	t.Helper()
	p, err := c.Create(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// refused checks that err is an *Invalid of a property, and that its reason has the text.
func refused(t *testing.T, err error, property, text string) {
	t.Helper()
	var wrong *invalid.Input
	if !errors.As(err, &wrong) || wrong.Property != property ||
		!strings.Contains(wrong.Reason, text) {
		t.Errorf("got %v; want it refused for %s with %q", err, property, text)
	}
}

// changes takes the recorded changes out of the database.
func changes(t *testing.T, s *store.Store) []catalog.Change {
	t.Helper()
	found, err := s.TakeChanges(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantChanges(t *testing.T, s *store.Store, want ...catalog.Change) {
	t.Helper()
	if got := changes(t, s); !slices.Equal(got, want) {
		t.Errorf("recorded %v, want %v", got, want)
	}
}

var everybody = catalog.Change{Kind: catalog.AllDevices}

func TestCatalogKeepsAPayload(t *testing.T) {
	_, c := openCatalog(t)
	in := wifi("com.example.office")
	in.Description = "for all"
	made := create(t, c, in)
	got, err := c.Get(t.Context(), action.PayloadID(strings.ToUpper(string(made.ID))))
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != made.ID || got.Type != action.DeviceConfiguration ||
		got.ODataType != in.ODataType || got.DisplayName != in.DisplayName ||
		got.Description != "for all" || got.SubType != "wiFi" ||
		got.Identifier != "com.example.office" || got.Revision != "u-1" ||
		got.Version != 1 || got.FileName != in.FileName || string(got.Content) != string(in.File) ||
		got.Original != nil ||
		string(got.Properties) != string(in.Properties) || !got.Created.Equal(made.Created) ||
		!got.LastModified.Equal(made.LastModified) ||
		!slices.Equal(got.Platforms, []fleet.Platform{fleet.IOS, fleet.IPadOS, fleet.TVOS}) {
		t.Errorf("got %+v", got)
	}
	if err := c.Delete(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), made.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("after its deletion: %v", err)
	}
	if err := c.Delete(t.Context(), made.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("deleting again: %v", err)
	}
}

func TestCatalogListsInPages(t *testing.T) {
	_, c := openCatalog(t)
	want := map[action.PayloadID]bool{}
	for i := range 7 {
		want[create(t, c, wifi(fmt.Sprintf("com.example.n%d", i))).ID] = true
	}
	app := create(t, c, catalog.Input{ODataType: payload.IOSStoreApp, DisplayName: "App",
		Properties: []byte(`{"bundleId":"a.b","storeId":1}`)})
	seen := map[action.PayloadID]bool{}
	typeIs := func(kind action.PayloadType) query.Condition {
		return query.Comparison{Field: catalog.ByType, Operator: query.Equal, Value: int64(kind)}
	}
	q := query.Query{Where: query.Any{typeIs(action.DeviceConfiguration),
		typeIs(action.ConfigurationPolicy)}, Limit: 3, Count: true}
	for last := action.PayloadID(""); ; {
		page, err := c.List(t.Context(), q)
		if err != nil || page.Count != len(want) {
			t.Fatal(page.Count, err)
		}
		for _, p := range page.Items {
			if seen[p.ID] || !want[p.ID] || p.ID <= last || p.Content != nil {
				t.Fatalf("%s behind %s: %+v", p.ID, last, p)
			}
			seen[p.ID], last = true, p.ID
		}
		if q.After = page.Next; q.After == nil {
			break
		}
	}
	if len(seen) != len(want) {
		t.Errorf("listed %d of %d", len(seen), len(want))
	}
	stores := query.OneOf{Field: catalog.ByODataType,
		Values: []string{payload.IOSStoreApp, payload.IOSVPPApp}}
	apps, err := c.List(t.Context(), query.Query{Where: stores})
	if err != nil || len(apps.Items) != 1 || apps.Items[0].ID != app.ID {
		t.Errorf("apps: %v, %v", apps, err)
	}
	if all, err := c.List(t.Context(), query.Query{}); err != nil || len(all.Items) != 8 {
		t.Errorf("all: %d, %v", len(all.Items), err)
	}
}

// Many policies may have one identifier, made at one time from one file, and each has a PayloadUUID
// of its own.
func TestOneIdentifierForMany(t *testing.T) {
	_, c := openCatalog(t)
	const n = 64
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			_, errs[i] = c.Create(context.Background(), wifi("com.example.office"))
		})
	}
	close(start)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	list, err := c.List(t.Context(), query.Query{})
	if err != nil || len(list.Items) != n {
		t.Fatalf("the catalog has %d payloads, %v", len(list.Items), err)
	}
	seen, asUploaded := map[string]bool{}, 0
	for _, p := range list.Items {
		whole, err := c.Get(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		delivered, err := payload.ParseProfile(whole.Content)
		if err != nil || delivered.UUID != p.Revision || seen[p.Revision] ||
			string(whole.Uploaded()) != string(wifi("com.example.office").File) {
			t.Errorf("%s has the revision %s and delivers %s, %v", p.ID, p.Revision, delivered.UUID,
				err)
		}
		if seen[p.Revision] = true; whole.Original == nil {
			asUploaded++
		}
	}
	if asUploaded != 1 {
		t.Errorf("%d are delivered as they were uploaded, want the first", asUploaded)
	}
}

// A PayloadUUID is of one policy only where devices could mistake it for another's.
func TestRevisionsOfOneIdentifier(t *testing.T) {
	_, c := openCatalog(t)
	first := create(t, c, wifi("com.example.office"))
	second := create(t, c, wifi("com.example.office"))
	if first.Revision != "u-1" || second.Revision == first.Revision {
		t.Errorf("revisions %q and %q", first.Revision, second.Revision)
	}
	mac := wifi("com.example.office")
	mac.ODataType = payload.MacOSCustomConfiguration
	other := create(t, c, wifi("com.example.other"))
	if p := create(t, c, mac); p.Revision != "u-1" || other.Revision != "u-1" {
		t.Errorf("revisions of what never meets: %q and %q", p.Revision, other.Revision)
	}
	for _, odataType := range []string{payload.IOSStoreApp, payload.IOSVPPApp} {
		create(t, c, catalog.Input{ODataType: odataType, DisplayName: "App",
			Properties: []byte(`{"bundleId":"com.example.office","storeId":1}`)})
	}
	// An edit of one does not take what another one had.
	edited, err := c.Update(t.Context(), second.ID,
		catalog.Patch{File: profile("com.example.office", "U-1", "two")})
	if err != nil || edited.Revision == "u-1" || edited.Revision == second.Revision {
		t.Errorf("edited to %q, %v", edited.Revision, err)
	}
	_, err = c.Create(t.Context(), catalog.Input{ODataType: payload.IOSCustomConfiguration,
		DisplayName: "x", FileName: "x",
		File: profile(payload.EnrollmentProfileIdentifier, "U-9", "x")})
	refused(t, err, "payload", "enrollment profile")
}
