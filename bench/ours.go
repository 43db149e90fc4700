package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/activation"
)

// ours is a running server of this repository.
type ours struct {
	*program
	*bench
	address string
	client  *client.Client
	http    *http.Client
	token   string
	ids     []string // of the devices
	set     []client.Selection
	issued  []*x509.Certificate // to the devices, by the server
	events  atomic.Int64        // that the stream's reader got
	unread  context.CancelFunc
}

// startOurs starts the server on SQLite, or on the PostgreSQL cluster, and puts the profiles into
// its catalog, assigned to all devices.
func (b *bench) startOurs(ctx context.Context, postgres bool) (o *ours, err error) {
	dir, err := os.MkdirTemp(b.dir, "ours-")
	if err != nil {
		return nil, err
	}
	socket, err := activation.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer socket.Close() //nolint:errcheck // the server has its own
	address := socket.Addr()
	database := []string{"--data", dir}
	if postgres {
		url, err := b.database(ctx, "syncpayloads")
		if err != nil {
			return nil, err
		}
		database = append(database, "--db", url)
	}
	o = &ours{bench: b, address: address, http: b.web(), unread: func() {}}
	program := []string{filepath.Join(b.dir, "syncpayloads"), "serve"}
	if b.profile != "" {
		program = []string{os.Args[0], profiledServer, "--cpu-profile", b.profile}
	}
	o.program, err = start(dir, "syncpayloads", socket,
		append(append(program, database...), "--url", "https://"+address,
			"--tls-cert", b.tls.certFile, "--tls-key", b.tls.keyFile, "--rate-limit", "0")...)
	if err != nil {
		return nil, err
	}
	if err = o.prepare(ctx, database); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

func (o *ours) prepare(ctx context.Context, database []string) (err error) {
	if err := o.untilAnswering(ctx, o.http, "https://"+o.address+"/healthz"); err != nil {
		return err
	}
	create := append([]string{filepath.Join(o.dir, "syncpayloads"), "token", "create"}, database...)
	if o.token, err = output(ctx, o.dir, nil, append(create, "bench")...); err != nil {
		return err
	}
	if o.client, err = client.New(client.Config{URL: "https://" + o.address, Token: o.token,
		HTTPClient: o.http}); err != nil {
		return err
	}
	for i := range o.profiles {
		if err := o.assign(ctx, &o.profiles[i]); err != nil {
			return err
		}
	}
	return o.identify(ctx)
}

// assign puts a profile into the catalog, for all devices.
func (o *ours) assign(ctx context.Context, p *profile) error {
	const configurations = "/beta/deviceManagement/deviceConfigurations"
	var made struct{ ID string }
	err := o.client.Do(ctx, http.MethodPost, configurations,
		map[string]any{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
			"displayName": p.identifier, "payloadFileName": "bench.mobileconfig",
			"payload": base64.StdEncoding.EncodeToString(p.file)}, &made)
	if err != nil {
		return err
	}
	target := map[string]any{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}
	return o.client.Do(ctx, http.MethodPost, configurations+"/"+made.ID+"/assign",
		map[string]any{"assignments": []any{map[string]any{"target": target}}}, nil)
}

const callsAtOnce = 8

// identify gets an identity for every device, over SCEP.
func (o *ours) identify(ctx context.Context) error {
	scep := scepServer{url: "https://" + o.address + "/scep", web: o.http}
	authorities, err := scep.authorities(ctx)
	if err != nil {
		return err
	}
	o.issued = make([]*x509.Certificate, len(o.devices))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(callsAtOnce)
	for i, d := range o.devices {
		group.Go(func() error {
			link, err := o.client.CreateEnrollment(ctx, time.Hour)
			if err != nil {
				return err
			}
			o.issued[i], err = scep.certificate(ctx, authorities, d.key,
				link.URL[strings.LastIndex(link.URL, "/")+1:])
			return err
		})
	}
	return group.Wait()
}

func (o *ours) target() target {
	return target{address: o.address,
		trust: o.tls.trust}
}
func (o *ours) identities() []*x509.Certificate { return o.issued }
func (o *ours) pid() int                        { return o.command.Process.Pid }

func (o *ours) close() error {
	o.unread()
	o.http.CloseIdleConnections()
	return o.stop(syscall.SIGTERM)
}

// enrolled finds out the devices' ids, and begins to read the stream of events.
func (o *ours) enrolled(ctx context.Context) error {
	known := make(map[string]string)
	for d, err := range o.client.Devices(ctx, client.DeviceOptions{PageSize: 1000}) {
		if err != nil {
			return err
		}
		known[d.SerialNumber] = d.ID
	}
	for _, d := range o.devices {
		if known[d.serial] == "" {
			return fmt.Errorf("device %s is not enrolled", d.serial)
		}
		o.ids = append(o.ids, known[d.serial])
	}
	return o.read(ctx)
}

// read attaches a reader to the stream of all events.
func (o *ours) read(ctx context.Context) error {
	ctx, o.unread = context.WithCancel(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		"https://"+o.address+"/api/events", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+o.token)
	request.Header.Set("Accept", "application/x-ndjson")
	answer, err := o.http.Do(request)
	if err != nil {
		return err
	}
	go func() {
		defer answer.Body.Close() //nolint:errcheck // the bench ends it
		lines := bufio.NewReaderSize(answer.Body, 64<<10)
		for {
			rest, err := lines.ReadSlice('\n')
			if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
				return
			}
			if err == nil && len(rest) > 1 {
				o.events.Add(1)
			}
		}
	}()
	return nil
}

// queue takes the profiles off every device, or puts them back.
func (o *ours) queue(ctx context.Context, install bool) error {
	if o.set == nil {
		found, err := o.client.Payloads(ctx, o.ids[0])
		if err != nil {
			return err
		}
		for _, p := range found {
			o.set = append(o.set, client.Selection{ID: p.ID, Type: p.Type})
		}
	}
	set := o.set
	if install {
		set = nil
	}
	return o.each(ctx, func(ctx context.Context, id string) error {
		return o.client.SyncPayloads(ctx, id, set, client.SyncOptions{})
	})
}

func (o *ours) each(ctx context.Context, do func(context.Context, string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(callsAtOnce)
	for _, id := range o.ids {
		group.Go(func() error { return do(ctx, id) })
	}
	return group.Wait()
}

// settled checks that every device ended as asked, and that the stream told of it.
func (o *ours) settled(ctx context.Context) error {
	if o.events.Load() == 0 {
		return errors.New("the stream's reader got no event")
	}
	return o.each(ctx, func(ctx context.Context, id string) error {
		results, err := o.client.ActionResults(ctx, id)
		if err == nil && (len(results) == 0 || results[0].State != client.StateDone) {
			err = fmt.Errorf("device %s did not end as asked: %+v", id, results)
		}
		return err
	})
}
