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

// ownPlatforms are those whose devices this program manages. This is the one place where they are
// named.
func ownPlatforms(c Config, st *store.Store) []platform.Platform {
	return []platform.Platform{
		apple.Platform{Store: st, CertificateHeader: c.CertificateHeader, APNsURL: c.APNsURL,
			APNsCAs: c.APNsCAs},
		android.Platform{Store: st, Options: c.Android},
		intune.Platform{Store: st},
	}
}

// platforms are those of a running server, each with its channel once it is open.
type platforms struct {
	list     []platform.Platform
	channels []platform.Channel
	paths    devicePaths
}

// forms are the types of policies and apps of all platforms.
func (p *platforms) forms() (*catalog.Forms, error) {
	lists := make([][]*catalog.Form, len(p.list))
	for i, one := range p.list {
		lists[i] = one.Forms()
	}
	return catalog.NewForms(lists...)
}

// explain finds the words of the first platform that has some for a failure.
func (p *platforms) explain(code action.Code, detail string) (meaning, advice string) {
	for _, one := range p.list {
		if meaning, advice = one.Explain(code, detail); meaning != "" {
			return meaning, advice
		}
	}
	return "", ""
}

// open opens the channels, and gives the engine to each.
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

// run runs what channels have to do beside answering devices, until ctx ends.
func (p *platforms) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, channel := range p.channels {
		if runner, ok := channel.(platform.Runner); ok {
			g.Go(func() error { return runner.Run(ctx) })
		}
	}
	return g.Wait()
}

// devicePaths are the paths that devices use, each with the channel whose devices do.
type devicePaths []devicePath

type devicePath struct {
	path    string // that ends with /: all that begin with it
	channel platform.Channel
}

func (d *devicePaths) add(path string, channel platform.Channel) error {
	if !strings.HasPrefix(path, "/") || path == "/" {
		return fmt.Errorf("%q cannot be a path of devices: others would be left without any", path)
	}
	for _, own := range []string{"/api/", "/beta/", "/v1.0/", "/console/", "/healthz", readyPath} {
		if (devicePath{path: own}).covers(path) || (devicePath{path: path}).covers(own) {
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

// of is the channel whose devices use a path; nil: none do.
func (d devicePaths) of(path string) platform.Channel {
	i := slices.IndexFunc(d, func(one devicePath) bool { return one.covers(path) })
	if i < 0 {
		return nil
	}
	return d[i].channel
}

// mount gives each channel its paths.
func (d devicePaths) mount(mux *http.ServeMux) {
	handlers := make(map[platform.Channel]http.Handler)
	for _, one := range d {
		if handlers[one.channel] == nil {
			handlers[one.channel] = one.channel.Handler()
		}
		mux.Handle(one.path, handlers[one.channel])
	}
}

// shown is what a device's request shows of its sender, for who is to read a long body of it.
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
