package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// site is an organization of a number of devices: a database, a server on it, and the few devices
// that are real. The others are copies of them in the database.
type site struct {
	size     int
	config   server.Config
	server   *server.Server
	gateway  *simulator.Gateway
	fleet    *simulator.Fleet
	reports  *reports
	http     *http.Client
	token    string
	payloads []string         // ids of what is assigned
	real     []*member        // the patterns
	called   []string         // ids of copies, for calls of the action
	next     int              // in called
	grown    map[string]int64 // bytes of SQLite's tables with their indexes
}

// member is a real device.
type member struct {
	*simulator.Device
	id   string // managedDevice id
	away bool   // payloads are held off it
}

func (g *growth) newSite(ctx context.Context, engine string, size int) (s *site, err error) {
	s = &site{size: size, reports: new(reports), grown: make(map[string]int64)}
	quiet := slog.New(slog.DiscardHandler)
	s.config = server.Config{DataDir: filepath.Join(g.dir, fmt.Sprint(engine, size)),
		Listen: "127.0.0.1:0", Log: quiet,
		KeepEvents: 2 * history}
	if s.config.Database, err = g.location(ctx, engine, size); err != nil {
		return nil, err
	}
	if s.gateway, err = simulator.NewGateway(simulator.GatewayOptions{}); err != nil {
		return nil, err
	}
	s.config.APNsURL, s.config.APNsCAs = s.gateway.URL(), x509.NewCertPool()
	s.config.APNsCAs.AppendCertsFromPEM(s.gateway.CA())
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.prepare(ctx, quiet); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// start starts the server, or starts it again on the same database and address.
func (s *site) start(ctx context.Context) (err error) {
	if s.server, err = server.Start(ctx, s.config); err != nil {
		return err
	}
	s.config.Listen = strings.TrimPrefix(s.server.URL(), "https://")
	return nil
}

func (s *site) stop() error {
	if s.server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := s.server.Close(ctx)
	s.server = nil
	return err
}

func (s *site) close() error { return errors.Join(s.stop(), s.gateway.Close()) }

func (s *site) prepare(ctx context.Context, log *slog.Logger) error {
	ca, err := os.ReadFile(filepath.Join(s.config.DataDir, "ca.pem"))
	if err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted},
		MaxIdleConnsPerHost: 2 * realDevices}
	s.http = &http.Client{Transport: transport, Timeout: 5 * time.Minute}
	certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(), time.Now())
	if err != nil {
		return err
	}
	if _, err := s.server.Channel().SetPushCertificate(ctx, certificate, key); err != nil {
		return err
	}
	_, s.token, err = s.server.Tokens().Create(ctx,
		access.TokenInput{Name: "growth", Role: access.Administrator})
	if err != nil {
		return err
	}
	s.fleet = simulator.NewFleet(simulator.Options{Transport: transport.Clone(),
		Keys: simulator.NewKeyPool(4), Gateway: s.gateway,
		JournalSize: -1, Log: log, Observer: s.reports})
	if err := s.makeCatalog(ctx); err != nil {
		return err
	}
	return s.makePatterns(ctx)
}

// call sends a request to the server and reads the answer into out, unless it is nil.
func (s *site) call(ctx context.Context, method, path string, body, out any) error {
	var text io.Reader
	if body != nil {
		sent, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(sent)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.server.URL()+path, text)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := s.http.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // it has been read
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: HTTP %d: %.300s", method, path, answer.StatusCode, got)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(got, out)
}
