package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const day = 24 * time.Hour

func TestHealth(t *testing.T) {
	s := newSite(t)
	s.store("phone")
	b := s.signedIn(s.token)
	b.open("/console/health").has(http.StatusOK, "nothing to see to", "Database Works",
		"Devices that you may see 1", "com.apple.mgmt.External.", "State Valid",
		"Renew the push certificate")
	s.clock.advance(340 * day)
	b = s.signedIn(s.token)
	p := b.open("/console/health").has(http.StatusOK, "The push certificate expires at",
		"in 24 days", "State Expires soon").hasNot("nothing to see to")
	if strings.Index(p.text(), "expires at") > strings.Index(p.text(), "This server") {
		t.Error("warnings are not first")
	}
	if p.leads("Refresh") != "/console/health" {
		t.Error("it cannot be refreshed")
	}
	s.clock.advance(26 * day)
	s.signedIn(s.token).open("/console/health/push").has(http.StatusOK, "State Expired")
	reader := s.signedIn(s.bearer("reader", access.ReadOnlyOperator, 0))
	reader.open("/console/health").has(http.StatusOK,
		"The push certificate expired at").hasNot("Renew the push certificate")
	reader.open("/console/health/push").has(http.StatusOK).hasNot("or its text")
}
