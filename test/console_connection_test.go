package test

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// The network goes, and things happen meanwhile; then the server goes, and comes back. The page has
// missed nothing, and nobody has loaded it again.
func TestConsoleComesBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.browse()
	b.signIn()
	b.openDevice(d.phone)
	stays := b.unreloaded()
	d.phone.SetLocked(true)
	d.sync(d.phone, d.vpn, d.slide)
	before := b.shows(d.phone)

	// of what begins now: the stream that is open goes on, and the page finds that it gets nothing
	// more
	b.do(offline(true))
	d.phone.SetLocked(false)
	d.ends(d.phone, "the removal ends")
	d.sync(d.phone, d.vpn, d.wifi)
	d.ends(d.phone, "the second action ends")
	b.reads("[data-connection-text]", "Reconnecting")
	if m := see[monitor](b, readMonitor); m.of(d.vpn) != before.of(d.vpn) {
		t.Fatalf("without a network is shown %+v", m)
	}
	b.do(offline(false))
	b.live()
	if m := b.shows(d.phone); m.of(d.wifi) != "Remove/Removed" ||
		m.of(d.slide) != "Restore/Restored" {
		t.Errorf("back in the network is shown %+v", m)
	}
	b.reads("#history-title + div", "2 removed, started by admin")

	d.end()
	b.reads("[data-connection-text]", "Reconnecting")
	d.start()
	d.sync(d.phone)
	b.live()
	b.watch(d.phone, "everything is restored", hasEnded)
	b.reads("#history-title + div", "2 removed, 1 restored, started by admin")
	stays()
	b.forgive("net::ERR_")
}

// offline takes the browser's network away, or gives it back.
func offline(yes bool) chromedp.Action[chromedp.Void] {
	return steps(network.EmulateNetworkConditionsByRule,
		network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Offline: yes, DownloadThroughput: -1,
				UploadThroughput: -1}}})
}
