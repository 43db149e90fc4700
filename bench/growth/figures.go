package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

const (
	pageSize = 100
	deepPage = 10_000 // or the last, of a smaller fleet
	// no more samples are taken in a round of a read that took that long together
	patience = 10 * time.Second
)

// What is measured. Of the rates more is better.
const (
	figureCall     = "`POST …/syncPayloads`"
	figureReport   = "a device's report, answered with the next command"
	figureCheckIn  = "a check-in of a device without work"
	figureStart    = "start, until requests are answered"
	figureContacts = "writing the last contacts of 256 devices"
	figureCheckIns = "idle check-ins/s of random devices, by the engine, 8 at once"
	figurePolls    = "idle check-ins/s over HTTPS, signed, 8 at once"
)

// measure takes one round of samples of everything. The start is before the reads, because the
// server writes the last contacts that it has kept when it is stopped: written between reads, they
// would change what the reads find.
func (s *site) measure(ctx context.Context, c *column, calls int) error {
	for _, m := range []func(context.Context, *column,
		int) error{s.measureCalls, s.measureReports, s.measureStart, s.measureReads,
		s.measureContacts, s.measureCheckIns, s.measurePolls} {
		if err := m(ctx, c, calls); err != nil {
			return err
		}
	}
	return nil
}

// measureCalls calls the action on copies, each of them once.
func (s *site) measureCalls(ctx context.Context, c *column, calls int) error {
	for range calls {
		if s.next == len(s.called) {
			return errNothing
		}
		id := s.called[s.next]
		s.next++
		began := time.Now()
		if err := s.act(ctx, id, true); err != nil {
			return err
		}
		c.add(figureCall, time.Since(began))
	}
	return nil
}

// measureReports lets real devices do what they are told, one after the other.
func (s *site) measureReports(ctx context.Context, c *column, calls int) error {
	s.reports.take()
	for i := range calls {
		m := s.real[i%realDevices]
		if err := s.toggle(ctx, m); err != nil {
			return err
		}
		if err := m.Connect(ctx); err != nil {
			return err
		}
	}
	took, idle := s.reports.take()
	c.add(figureReport, took...)
	c.add(figureCheckIn, idle...)
	return nil
}

// measureReads asks what a console or a script asks.
func (s *site) measureReads(ctx context.Context, c *column, calls int) error {
	reads, err := s.reads(ctx)
	if err != nil {
		return err
	}
	spent := make([]time.Duration, len(reads))
	for range calls {
		for i, r := range reads {
			if spent[i] > patience {
				continue
			}
			began := time.Now()
			if err := s.call(ctx, "GET", r.path, nil, nil); err != nil {
				return err
			}
			took := time.Since(began)
			spent[i] += took
			c.add(r.name, took)
		}
	}
	return nil
}

type read struct{ name, path string }

func (s *site) reads(ctx context.Context) ([]read, error) {
	list := func(name, order string, at *query.Position, more url.Values) read {
		options := url.Values{"$top": {"100"}, "$orderby": {order}}
		for k, v := range more {
			options[k] = v
		}
		if at != nil {
			options.Set("$skiptoken", token(struct {
				OrderBy  string
				Position query.Position
			}{order, *at}))
		}
		return read{name, managedDevices + "?" + options.Encode()}
	}
	at, err := s.positions(ctx)
	if err != nil {
		return nil, err
	}
	const byName, bySync = "deviceName asc", "lastSyncDateTime desc"
	search := func(text string) url.Values { return url.Values{"$search": {`"` + text + `"`}} }
	return []read{
		list("page 1 by name", byName, nil, nil),
		list("page 10,000 by name, or the last", byName, at.name, nil),
		list("page 1 by last contact", bySync, nil, nil),
		list("page 10,000 by last contact, or the last", bySync, at.sync, nil),
		list("the page behind the last by last contact", bySync, at.end, nil),
		list("search that finds one device", byName, nil, search(s.real[1].Facts().SerialNumber)),
		list("search that finds all devices", byName, nil, search("iPhone")),
		list("page 1 of devices whose action failed", byName, nil,
			url.Values{"$filter": {"deviceActionResults/any(a:a/actionState eq 'failed')"}}),
		{"one device", managedDevices + "/" + s.real[0].id},
		{"what is assigned to one device", "/api/devices/" + s.real[0].id + "/payloads"},
		{"what is removed now, page 1", "/api/removed?$top=100"},
		{"what is removed now, the last page", "/api/removed?$top=100&$skiptoken=" + at.removed},
		{"failures of 7 days", "/api/failures"},
		{"`$count` of devices", managedDevices + "/$count"},
		{"health", "/api/health"},
	}, nil
}

// positions are where pages begin that nobody can walk to for each sample.
type positions struct {
	name, sync, end *query.Position
	removed         string
}

func (s *site) positions(ctx context.Context) (p positions, err error) {
	db, err := s.open()
	if err != nil {
		return p, err
	}
	defer db.Close() //nolint:errcheck // it was read only
	var text, id string
	var number int64
	walk := new(query.Walk)
	before := (min(deepPage, s.size/pageSize)-1)*pageSize - 1
	if err := db.QueryRowContext(ctx,
		"SELECT lower(name), id FROM devices ORDER BY lower(name), id LIMIT 1 OFFSET $1",
		before).Scan(&text, &id); err != nil {
		return p, err
	}
	p.name = &query.Position{Keys: []any{text, id}}
	if err := db.QueryRowContext(ctx,
		"SELECT max(synced) FROM devices").Scan(&walk.Began); err != nil {
		return p, err
	}
	if err := db.QueryRowContext(ctx,
		"SELECT coalesce(last_sync, 0), id FROM devices ORDER BY coalesce(last_sync, 0) DESC, id DESC LIMIT 1 OFFSET $1",
		before).Scan(&number, &id); err != nil {
		return p, err
	}
	p.sync = &query.Position{Keys: []any{number, id}, Walk: walk}
	// As if 20 devices had made contact since the walk began.
	p.end = &query.Position{Keys: []any{}, Walk: &query.Walk{Began: walk.Began - 20, End: true}}
	var removed struct {
		Since   time.Time
		Device  fleet.DeviceID
		Payload string
	}
	if err := db.QueryRowContext(ctx,
		"SELECT since, device_id, payload_id FROM removals ORDER BY since, device_id, payload_id LIMIT 1 OFFSET 100").
		Scan(&number, &removed.Device, &removed.Payload); err != nil {
		return p, err
	}
	removed.Since = time.UnixMicro(number).UTC()
	p.removed = token(removed)
	return p, nil
}

// token is a place in a list as the server writes it into @odata.nextLink.
func token(position any) string {
	text, err := json.Marshal(position)
	if err != nil {
		panic("growth: a position does not marshal: " + err.Error()) // texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// measureStart starts the server again.
func (s *site) measureStart(ctx context.Context, c *column, _ int) error {
	if err := s.stop(); err != nil {
		return err
	}
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.call(ctx, "GET", "/healthz", nil, nil); err != nil {
		return err
	}
	c.add(figureStart, time.Since(began))
	return nil
}

// measureContacts writes last contacts as the engine does, beside the server as another node.
func (s *site) measureContacts(ctx context.Context, c *column, calls int) error {
	beside, err := store.Open(ctx, s.config.Database)
	if err != nil {
		return err
	}
	defer beside.Close() //nolint:errcheck // what it wrote is durable
	for i := range calls {
		seen := make(map[fleet.DeviceID]time.Time)
		for j := range contactsAtOnce {
			seen[fleet.DeviceID(s.called[(i*contactsAtOnce+j)%len(s.called)])] = time.Now()
		}
		began := time.Now()
		if err := beside.Touch(ctx, seen); err != nil {
			return err
		}
		c.add(figureContacts, time.Since(began))
	}
	return nil
}

const (
	contactsAtOnce = 256 // as store.Touch writes them
	checkInTime    = time.Second
	checkInsAtOnce = 8
)

// measureCheckIns lets copies check in that have not been called, as their channel does once it
// knows who they are.
func (s *site) measureCheckIns(ctx context.Context, c *column, _ int) error {
	quiet := s.called[s.next:]
	if len(quiet) == 0 {
		return errNothing
	}
	return c.measureRate(ctx, figureCheckIns, func(ctx context.Context, number int) error {
		_, err := s.server.Engine().Idle(ctx, fleet.DeviceID(quiet[number%len(quiet)]))
		return err
	})
}

// measurePolls lets real devices check in.
func (s *site) measurePolls(ctx context.Context, c *column, _ int) error {
	err := c.measureRate(ctx, figurePolls, func(ctx context.Context, number int) error {
		return s.real[number%realDevices].Connect(ctx)
	})
	s.reports.take()
	return err
}

// measureRate does something as often as it can, some at a time.
func (c *column) measureRate(ctx context.Context, name string,
	do func(ctx context.Context, number int) error) error {
	counts := make([]int, checkInsAtOnce)
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for worker := range counts {
		group.Go(func() error {
			for i := worker; time.Since(began) < checkInTime; i += checkInsAtOnce {
				if err := do(ctx, i); err != nil {
					return err
				}
				counts[worker]++
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	c.rate(name, float64(total)/time.Since(began).Seconds())
	return nil
}
