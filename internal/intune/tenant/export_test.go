package tenant

import (
	"context"
	"net/http"
	"time"
)

// Send makes any call, as if it were one of this package's.
func (c *Client) Send(ctx context.Context, method, path string) error {
	_, err := c.call(ctx, request{action: "test", method: method, path: path})
	return err
}

// Batch makes calls that only read, by their paths, and returns what came of each.
func (c *Client) Batch(ctx context.Context, paths ...string) ([]error, error) {
	gets := make([]*Get, len(paths))
	for i, path := range paths {
		gets[i] = &Get{action: "test", path: path}
	}
	err := c.batch(ctx, "test", gets)
	ends := make([]error, len(gets))
	for i, g := range gets {
		ends[i] = g.err
	}
	return ends, err
}

// RefusedBy is how an answer of Graph's is told.
func RefusedBy(status int, header http.Header, body []byte, now time.Time) (*Refused,
	*time.Duration) {
	r := refusedBy("test", status, header, body, now)
	return r, r.after
}

// ReadReport reads an answer of the report of policies, and returns its items.
func ReadReport(text []byte, device string) ([]Item, error) {
	var r report
	if err := read(text, &r); err != nil {
		return nil, err
	}
	a := &assignments{known: make(map[Item]int), found: &Assigned{Complete: true}}
	err := a.addPolicies(&r, device)
	return a.found.Items, err
}

// ReadStates reads answers of the lists of apps and app configurations.
func ReadStates(text []byte, device string) *Assigned {
	a := &assignments{known: make(map[Item]int), found: &Assigned{Complete: true}}
	g := &Get{status: http.StatusOK, body: text}
	a.addApps([]*Get{g})
	a.addAppConfigurations(g, device)
	return a.found
}

// Roles are the permissions that a token has.
var Roles = roles

// Burst and PerSecond are how much of a bucket is used.
func Burst(b Bucket) float64     { return rates[b].burst }
func PerSecond(b Bucket) float64 { return rates[b].perSecond }

// MostNested is how deep an answer may be nested.
const MostNested = mostNested
