package tenant

import (
	"context"
	"net/url"
	"strings"
)

// TokenSource gives the tokens of a person, or ones made elsewhere, in place of those that an app
// gets by its credential.
type TokenSource interface {
	// Token returns a token for the Graph that is asked, and for no other.
	Token(ctx context.Context) (string, error)
	// Drop forgets a token that Graph did not take.
	Drop(token string)
}

// CloudOf returns the cloud whose Graph has an address; false: none has.
func CloudOf(graph *url.URL) (Cloud, bool) {
	for cloud, h := range clouds {
		if strings.EqualFold(h.graph, graph.Scheme+"://"+graph.Host) {
			return cloud, true
		}
	}
	return "", false
}

// Authority is where a cloud's tokens come from.
func (c Cloud) Authority() string { return clouds[c].authority }

// Passing reports whether an error may be over soon: nobody answered, or Microsoft is busy.
func Passing(err error) bool {
	switch r := err.(type) {
	case *Throttled:
		return true
	case *Refused:
		return r.Status == 0 || passing(r.Status)
	}
	return false
}
