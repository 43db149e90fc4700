package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android"
	"github.com/syncpayloads/syncpayloads/internal/apple"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune"
	"github.com/syncpayloads/syncpayloads/internal/platform"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// ownPlatforms lists the platforms that this program has. This is the only place that names them.
func ownPlatforms(c Config, st *store.Store) []platform.Platform {
	return []platform.Platform{
		apple.Platform{Store: st, CertificateHeader: c.CertificateHeader, APNsURL: c.APNsURL,
			APNsCAs: c.APNsCAs},
		android.Platform{Store: st, Options: c.Android},
		intune.Platform{Store: st},
	}
}

// platforms are the platforms of a running server, with their channels once these are open.
type platforms struct {
	list     []platform.Platform
	channels []platform.Channel
	paths    devicePaths
}

// forms returns the types of policies and apps of all platforms.
func (p *platforms) forms() (*catalog.Forms, error) {
	lists := make([][]*catalog.Form, len(p.list))
	for i, one := range p.list {
		lists[i] = one.Forms()
	}
	return catalog.NewForms(lists...)
}

// explain returns what an error code means and what to do about it, in the words of the first
// platform that knows the code; empty if none does.
func (p *platforms) explain(code action.Code, detail string) (meaning, advice string) {
	for _, one := range p.list {
		if meaning, advice = one.Explain(code, detail); meaning != "" {
			return meaning, advice
		}
	}
	return "", ""
}

// descriptions are what the platforms say of their devices.
func (p *platforms) descriptions() (all []platform.Description) {
	for _, one := range p.list {
		if describer, ok := one.(platform.Describer); ok {
			all = append(all, describer.Describe())
		}
	}
	return all
}

// kinds are what the devices of all platforms are.
func (p *platforms) kinds() (all fleet.Kinds) {
	for _, one := range p.descriptions() {
		all = append(all, one.Kinds...)
	}
	return all
}

// openChannels opens each platform's channel and attaches it to the engine.
func (s *Server) openChannels(ctx context.Context, c Config, identity *serverIdentity) error {
	site := platform.Site{URL: s.url, Engine: s.engine, Busy: store.Busy, Log: c.Log,
		Now: c.Clock.Now, After: c.Clock.After, Roles: s.roles,
		Record:    audit.NewRecorder(s.store, c.Clock.Now, uuid.NewString).Record,
		RootCAPEM: identity.rootPEM, Signer: identity.signer}
	p := &s.platforms
	for _, one := range p.list {
		channel, err := one.Open(ctx, site)
		if err != nil {
			return err
		}
		for _, path := range channel.Paths() {
			if err := p.paths.add(path, channel); err != nil {
				return err
			}
		}
		p.channels = append(p.channels, channel)
		authority := fleet.ThisServer
		if m, ok := one.(platform.Manager); ok {
			authority = m.Authority()
		}
		s.engine.AttachAuthority(authority, channel, one.Devices()...)
	}
	return nil
}

// run runs what channels do by themselves, beside answering devices, until ctx ends.
func (p *platforms) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, channel := range p.channels {
		if runner, ok := channel.(platform.Runner); ok {
			g.Go(func() error { return runner.Run(ctx) })
		}
	}
	return g.Wait()
}

// devicePaths are the URL paths that devices use, each with the channel of those devices.
type devicePaths []devicePath

type devicePath struct {
	path    string // a path that ends with / covers all that begin with it
	channel platform.Channel
}

func (d *devicePaths) add(path string, channel platform.Channel) error {
	if !strings.HasPrefix(path, "/") || path == "/" {
		return fmt.Errorf("%q cannot be a path of devices: others would be left without any", path)
	}
	// Graph's are the same in letters of either case, and the others are not to be taken for them.
	folded := strings.ToLower(path)
	for _, own := range []string{"/api/", "/beta/", "/v1.0/", "/console/", "/healthz", readyPath} {
		if (devicePath{path: own}).covers(folded) || (devicePath{path: folded}).covers(own) {
			return fmt.Errorf("%q cannot be a path of devices: it is one of the server's own", path)
		}
	}
	for _, other := range *d {
		if other.covers(path) || (devicePath{path: path}).covers(other.path) {
			return fmt.Errorf("two platforms want the path %s", path)
		}
	}
	*d = append(*d, devicePath{path, channel})
	return nil
}

func (d devicePath) covers(path string) bool {
	return path == d.path || strings.HasSuffix(d.path, "/") && strings.HasPrefix(path, d.path)
}

// of returns the channel whose devices use a path; nil: none do.
func (d devicePaths) of(path string) platform.Channel {
	i := slices.IndexFunc(d, func(one devicePath) bool { return one.covers(path) })
	if i < 0 {
		return nil
	}
	return d[i].channel
}

// mount registers each channel's handler for its paths.
func (d devicePaths) mount(mux *http.ServeMux) {
	handlers := make(map[platform.Channel]http.Handler)
	for _, one := range d {
		if handlers[one.channel] == nil {
			handlers[one.channel] = one.channel.Handler()
		}
		mux.Handle(one.path, handlers[one.channel])
	}
}

// shown returns what a device's request proves about its sender. It decides whether a long body of
// it is read.
func (d devicePaths) shown(r *http.Request) identity {
	channel := d.of(r.URL.Path)
	if channel == nil {
		return unknownSender
	}
	switch channel.Shown(r) {
	case platform.ShowsDevice:
		return provenIdentity
	case platform.ShowsNobody:
		return nobody
	default:
		return unknownSender
	}
}
