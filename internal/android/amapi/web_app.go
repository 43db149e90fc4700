package amapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
)

// webAppState is what a job knows of the web app of a payload; see payload.Item.
type webAppState struct {
	made, awaits string
	code         int64
}

// makeWebApps has Google make the web apps of what is wanted, and finds those of what is off.
// coming is why one is not there yet: the device is served again then.
func (j *job) makeWebApps(ctx context.Context) (coming, err error) {
	j.made = make(map[action.PayloadID]webAppState)
	for _, s := range j.document.Wanted {
		p := j.document.Contents[s.ID]
		if p == nil {
			continue
		}
		want := payload.WebAppOf(p.Content)
		if want == nil {
			continue
		}
		w, err := j.makeWebApp(ctx, s.ID, p.DisplayName, want)
		var state webAppState
		var temporary bool
		if state, temporary, err = stateOf(w, err); err != nil {
			return nil, err
		}
		if j.made[s.ID] = state; temporary {
			coming = errors.New(state.awaits)
		}
	}
	for _, off := range [][]action.Spec{j.document.HeldOff, j.document.Ended} {
		for _, s := range off {
			p := j.document.Contents[s.ID]
			if p == nil || payload.WebAppOf(p.Content) == nil {
				continue
			}
			w, err := j.store.AndroidWebApp(ctx, s.ID)
			if errors.Is(err, ErrNotFound) {
				continue // it never was on a device
			}
			if err != nil {
				return nil, err
			}
			j.made[s.ID] = webAppState{made: w.Package()}
		}
	}
	return coming, nil
}

// stateOf is what a try to make a web app came to. temporary says that it is worth another one. An
// error is none of Google's.
func stateOf(w *WebApp, failure error) (state webAppState, temporary bool, err error) {
	if w != nil {
		state.made = w.Package()
	}
	var r *Refused
	var wait *paused
	switch {
	case failure == nil:
		return state, false, nil
	case errors.As(failure, &r) && permanentCode(r.Code):
		state.code, _, state.awaits = payload.Refusal(r.Code, r.Text)
		if state.made != "" {
			state.code, state.awaits = 0, "Google refused to change it: "+r.Text
		}
		return state, false, nil
	case errors.As(failure, &r), errors.As(failure, &wait), errors.Is(failure, errLeased):
		state.awaits = "Google has not made the web app yet, and is asked again: " +
			failure.Error()
		if state.made != "" {
			state.awaits = "Google has not changed it yet, and is asked again: " + failure.Error()
		}
		return state, true, nil
	}
	return state, false, failure
}

// permanentCode reports whether an answer of Google's stays the same if it is asked again.
func permanentCode(code int) bool {
	return code >= 400 && code < 500 && code != http.StatusTooManyRequests &&
		code != http.StatusUnauthorized
}

// webAppRetry is how long Google is not asked again for a web app after it failed.
const webAppRetry = time.Minute

// makeWebApp has Google make the web app of a payload, or change it, if it has not as it is wanted.
// It returns what there is, with an error if that is not as wanted. One process does this at a time,
// so that each finds what the other made: Google takes any number of the same.
func (j *job) makeWebApp(ctx context.Context, id action.PayloadID, title string,
	want *payload.WebApp) (*WebApp, error) {
	hash := want.Hash(title)
	w, done, err := j.webAppKept(ctx, id, hash)
	if done || err != nil {
		return w, err
	}
	j.Channel.webApps.Lock()
	defer j.Channel.webApps.Unlock()
	ctx, l, err := j.Channel.lease(ctx, webAppsLease)
	if err != nil {
		return w, err // as it was: devices keep what they have
	}
	defer l.release(ctx)
	w, done, err = j.webAppKept(ctx, id, hash)
	if done || err != nil {
		return w, err
	}
	failure := j.postWebApp(ctx, l, w, title, want)
	w.Failure = nil
	var r *Refused
	if errors.As(failure, &r) {
		w.Failure = &WebAppFailure{At: j.now().UTC(), Hash: hash, Code: r.Code, Text: r.Text}
	} else if failure != nil {
		return w, l.why(ctx, failure)
	}
	return w, errors.Join(failure, j.store.SaveAndroidWebApp(ctx, w))
}

// webAppKept is the record of a web app. done says that there is nothing to ask of Google now, with
// what it answered if that was no.
func (j *job) webAppKept(ctx context.Context, id action.PayloadID,
	hash string) (w *WebApp, done bool, err error) {
	w, err = j.store.AndroidWebApp(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && w.Name != "" &&
		!strings.HasPrefix(w.Name, j.enterprise+"/webApps/") { // of an enterprise before this one
		return &WebApp{Payload: id}, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if w.Name != "" && w.Hash == hash {
		return w, true, nil
	}
	if f := w.Failure; f != nil && f.Hash == hash {
		still := webAppRetry
		if permanentCode(f.Code) {
			still = refusedFor
		}
		if j.now().Sub(f.At) < still {
			return w, true, &Refused{Code: f.Code, Text: f.Text, Action: makeWebAppAction}
		}
	}
	return w, false, nil
}

const (
	makeWebAppAction = "make a web app"
	webAppsLease     = "android/webApps"
)

// postWebApp finds, makes or changes a web app, and notes in its record what Google has. That it is
// about to be asked is stored before.
func (j *job) postWebApp(ctx context.Context, l *lease, w *WebApp, title string,
	want *payload.WebApp) error {
	sent := &androidmanagement.WebApp{Title: title, StartUrl: want.URL, DisplayMode: want.Display,
		Icons: []*androidmanagement.WebAppIcon{{ImageData: want.Image()}}}
	if w.Name != "" {
		err := j.google.changeWebApp(ctx, w, sent)
		if !isCode(err, http.StatusNotFound) {
			return w.took(err, want.Hash(title))
		}
		*w = WebApp{Payload: w.Payload} // somebody deleted it at Google
	}
	asked := w.Asked
	if asked == nil {
		asked = &AskedWebApp{Title: title, URL: want.URL}
	}
	there, err := j.findWebApp(ctx, j.google, j.enterprise, asked)
	if err != nil {
		return err
	}
	if there != nil {
		w.Name, w.Version, w.Found = there.Name, there.VersionCode, w.Asked == nil
		if err := j.store.SaveAndroidWebApp(ctx, w); err != nil {
			return err
		}
		return w.took(j.google.changeWebApp(ctx, w, sent), want.Hash(title))
	}
	w.Asked = &AskedWebApp{Title: title, URL: want.URL}
	if err := j.store.SaveAndroidWebApp(ctx, w); err != nil {
		return err
	}
	if err := l.renew(ctx); err != nil {
		return err
	}
	err = j.google.makeWebApp(ctx, j.enterprise, w, sent)
	var r *Refused
	if err == nil || errors.As(err, &r) && permanentCode(r.Code) {
		w.Asked = nil // it is known whether Google has it
	}
	return w.took(err, want.Hash(title))
}

// took notes that Google has what a hash is of, if it took it.
func (w *WebApp) took(err error, hash string) error {
	if err == nil {
		w.Hash = hash
	}
	return err
}

// findWebApp looks whether Google has a web app already that is of nobody here; nil: it has none.
func (c *Channel) findWebApp(ctx context.Context, g *google, enterprise string,
	asked *AskedWebApp) (*androidmanagement.WebApp, error) {
	for page := ""; ; {
		list, next, err := g.webApps(ctx, enterprise, page)
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			if one == nil || one.Title != asked.Title || one.StartUrl != asked.URL {
				continue
			}
			found := WebApp{Name: one.Name}
			kept, err := c.store.AndroidWebAppKept(ctx, found.Package())
			if err != nil || !kept {
				return one, err
			}
		}
		if next == "" || next == page {
			return nil, nil
		}
		page = next
	}
}

// webApps is a page of an enterprise's web apps.
func (g *google) webApps(ctx context.Context, enterprise,
	page string) (list []*androidmanagement.WebApp, next string, err error) {
	err = g.ask(ctx, "list the web apps", func(ctx context.Context) error {
		answer, err := g.amapi.Enterprises.WebApps.List(enterprise).PageSize(100).
			PageToken(page).Context(ctx).Do()
		if err == nil {
			list, next = answer.WebApps, answer.NextPageToken
		}
		return err
	})
	return list, next, err
}

func (g *google) makeWebApp(ctx context.Context, enterprise string, w *WebApp,
	sent *androidmanagement.WebApp) error {
	return g.ask(ctx, makeWebAppAction, func(ctx context.Context) error {
		made, err := g.amapi.Enterprises.WebApps.Create(enterprise, sent).Context(ctx).Do()
		if err == nil {
			w.Name, w.Version = made.Name, made.VersionCode
		}
		return err
	})
}

// changeWebApp changes all of a web app. Google counts its versions, and makes new ones by itself.
func (g *google) changeWebApp(ctx context.Context, w *WebApp,
	sent *androidmanagement.WebApp) error {
	return g.ask(ctx, "change a web app", func(ctx context.Context) error {
		made, err := g.amapi.Enterprises.WebApps.Patch(w.Name, sent).
			UpdateMask("title,startUrl,displayMode,icons").Context(ctx).Do()
		if err == nil {
			w.Version = made.VersionCode
		}
		return err
	})
}
