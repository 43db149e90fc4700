package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// androidSite is a fleet of Android devices in one database: a store, an engine and the channel,
// with Google simulated. A few devices are real; the others are copies of their rows, and are only
// in Google's list. Time passes when the program says so, and nothing happens by itself but what
// was asked for.
type androidSite struct {
	size    int
	path    string
	clock   *clocktest.Clock
	service *simulator.Service
	google  *httptest.Server
	list    *copiedList

	store   *store.Store
	engine  *engine.Engine
	channel *amapi.Channel
	stop    context.CancelFunc
	ended   chan struct{}

	waited  time.Duration // for nothing more to happen
	devices []*simulator.Device
	ids     []fleet.DeviceID
	wifi    action.PayloadID // what is removed
}

func newAndroidSite(ctx context.Context, dir string, size int) (s *androidSite, err error) {
	s = &androidSite{size: size, path: filepath.Join(dir, fmt.Sprint("android", size), "db"),
		clock: clocktest.New(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), list: new(copiedList)}
	s.service = simulator.NewService(simulator.Options{Now: s.clock.Now, Quota: 1 << 30,
		RequireToken: true, Log: slog.New(slog.DiscardHandler)})
	s.list.google = s.service
	s.google = httptest.NewServer(s.list)
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	err = s.setUp(ctx)
	if err == nil {
		err = s.enroll(ctx)
	}
	if err == nil {
		err = s.copyAll(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *androidSite) open(ctx context.Context) (err error) {
	if s.store, err = store.Open(ctx, s.path); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	s.engine = engine.New(engine.Config{Store: s.store, Clock: s.clock, Log: log})
	s.channel, err = amapi.New(amapi.Config{URL: "https://mdm.example", Store: s.store,
		Engine: s.engine, Now: s.clock.Now, After: s.clock.After, Log: log, PerSecond: 1e6,
		Endpoints: amapi.Endpoints{API: s.google.URL + "/", PubSub: s.google.URL + "/",
			Token: s.google.URL + "/token", PushKeys: s.google.URL + "/certs"}})
	if err != nil {
		return err
	}
	s.engine.Attach(s.channel, fleet.Android)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop, s.ended = stop, make(chan struct{})
	go func() {
		defer close(s.ended)
		served := make(chan struct{})
		go func() { defer close(served); _ = s.channel.Run(running) }()
		_ = s.engine.Run(running)
		<-served
	}()
	s.settle()
	return nil
}

func (s *androidSite) closeStore() error {
	if s.store == nil {
		return nil
	}
	if s.stop != nil {
		s.stop()
		<-s.ended
	}
	err := s.store.Close()
	s.store, s.stop = nil, nil
	return err
}

func (s *androidSite) close() error {
	err := s.closeStore()
	s.google.CloseClientConnections()
	s.google.Close()
	return err
}

// enroll adds the real devices, and lets each get what is assigned to it; some have been through a
// removal and hold something off.
func (s *androidSite) enroll(ctx context.Context) error {
	token, err := s.channel.CreateToken(ctx, amapi.TokenTerms{Mode: amapi.FullyManaged,
		Valid: time.Hour})
	if err != nil {
		return err
	}
	for i := range realDevices {
		d, err := s.service.Enroll(token.Value, fmt.Sprint("REAL", i), simulator.DeviceOptions{
			SystemApps: []string{"com.android.settings"}})
		if err != nil {
			return err
		}
		s.devices = append(s.devices, d)
	}
	if err := s.pullAll(ctx); err != nil {
		return err
	}
	for _, d := range s.devices {
		e, err := s.store.AndroidEnrollment(ctx, d.Name())
		if err != nil {
			return err
		}
		s.ids = append(s.ids, e.Device)
	}
	if err := s.untilSettled(ctx); err != nil {
		return err
	}
	for i := range withHistory + withRemovals {
		if err := s.remove(ctx, i, true); err != nil {
			return err
		}
		if i < withHistory {
			if err := s.remove(ctx, i, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// untilSettled lets time pass until every real device has what is wanted of it, and the server
// knows.
func (s *androidSite) untilSettled(ctx context.Context) error {
	for range 100 {
		s.clock.Advance(30 * time.Second)
		if err := s.engine.Sweep(ctx); err != nil {
			return err
		}
		s.settle()
		for _, d := range s.devices {
			if err := d.Sync(); err != nil {
				return err
			}
		}
		if err := s.pullAll(ctx); err != nil {
			return err
		}
		open := 0
		for _, id := range s.ids {
			list, err := s.engine.Payloads(ctx, id)
			if err != nil {
				return err
			}
			for _, p := range list {
				if p.Work.Phase != action.Idle {
					open++
				}
			}
		}
		if open == 0 {
			return nil
		}
	}
	return errors.New("the real devices do not get what is assigned to them")
}

func (s *androidSite) pullAll(ctx context.Context) error {
	for {
		n, err := s.channel.Pull(ctx)
		if err != nil || n == 0 {
			s.settle()
			return err
		}
	}
}

// remove takes a network off a real device or puts it back, from the call to its end.
func (s *androidSite) remove(ctx context.Context, i int, off bool) error {
	never := time.Duration(0)
	call := engine.Call{Name: action.SyncPayloads, Actor: "growth", RestoreAfter: &never}
	if off {
		call.Set = []action.Selection{{ID: s.wifi, Type: action.DeviceConfiguration}}
	}
	s.clock.Advance(time.Second)
	posted := s.service.Calls("policies.patch")
	if err := s.engine.Start(ctx, s.ids[i], call); err != nil {
		return err
	}
	for s.service.Calls("policies.patch") == posted && ctx.Err() == nil {
		time.Sleep(time.Millisecond) // until the channel has sent it
	}
	s.settle()
	s.clock.Advance(time.Second)
	if err := s.devices[i].Sync(); err != nil {
		return err
	}
	if _, err := s.channel.Pull(ctx); err != nil {
		return err
	}
	s.settle()
	actions, err := s.engine.Actions(ctx, s.ids[i])
	if err == nil && !actions[0].State.Final() {
		err = fmt.Errorf("an Android device's action is %v after its report: %+v", actions[0].State,
			actions[0].Results)
	}
	return err
}

// settle waits until nothing has been asked of the database for a while.
func (s *androidSite) settle() {
	began := time.Now()
	defer func() { s.waited += time.Since(began) }()
	for seen, since := counted.statements.Load(), time.Now(); time.Since(since) < quietFor; {
		time.Sleep(quietFor / 10)
		if now := counted.statements.Load(); now != seen {
			seen, since = now, time.Now()
		}
	}
}

const quietFor = 300 * time.Millisecond
