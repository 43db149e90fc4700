package test

import (
	"bytes"
	"image/png"
	"os"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// pictures keeps what the main pages look like, for people to look at. SYNCPAYLOADS_TEST_PICTURE=1
// also draws the README's picture anew.
func (b *browser) pictures(d *desk) {
	b.Helper()
	review := b.page(d.phone) + "/review?pick=set&off=" + d.wifi.ID + "&off=" + d.vpn.ID + "&off=" +
		d.limits.ID
	for _, page := range []struct{ name, path string }{
		{"devices", "/console/"}, {"device", b.page(d.phone)}, {"review", review},
		{"history", b.page(d.phone) + "/history"}, {"fleet", "/console/fleet"},
		{"catalog", "/console/catalog"}, {"policy", "/console/catalog/policies/" + d.wifi.ID},
		{"roles", "/console/roles"},
		{"assignment", "/console/roles/" + access.HelpDeskOperator + "/assignments/new"},
		{"tokens", "/console/tokens"}, {"audit", "/console/audit"},
	} {
		b.open(page.path)
		b.until(page.path+" is there",
			`() => document.readyState === "complete" && document.querySelector("h1") !== null && document.querySelector(".lost:not([hidden])") === null`)
		for _, width := range []int64{380, 800, 1600} {
			b.picture(page.name, width, "light")
			if slices.Contains([]string{"device", "devices", "fleet", "policy", "roles",
				"assignment"}, page.name) {
				b.picture(page.name, width, "dark")
			}
		}
	}
	b.openDevice(d.phone)
	b.size(1200, "light")
	b.sizeTo(1200, see[int64](b,
		`() => Math.ceil(document.querySelector("#monitor").getBoundingClientRect().bottom) + 24`))
	picture := b.smaller(b.capture())
	keep(b.T, "readme", picture)
	if len(picture) > 200<<10 {
		b.Errorf("the README's picture has %d KiB", len(picture)>>10)
	}
	if os.Getenv("SYNCPAYLOADS_TEST_PICTURE") != "" {
		if err := os.WriteFile("../docs/console.png", picture, 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// smaller is the same picture, encoded as well as can be.
func (b *browser) smaller(picture []byte) []byte {
	b.Helper()
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		b.Fatal(err)
	}
	var again bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&again,
		decoded); err != nil {
		b.Fatal(err)
	}
	return again.Bytes()
}
