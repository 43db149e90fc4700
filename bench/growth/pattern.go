package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// What the real devices went through, and so the copies. The remaining ones have nothing but their
// payloads.
const (
	realDevices  = 40
	withHistory  = 4 // took payloads off and put them back, twice
	withRemovals = 4 // have payloads held off them now
	withFailures = 2 // could not put a payload back

	assigned       = 20 // payloads of each device
	throughGroups  = 5  // of them
	groups         = 2  // a device is in one of them
	takenOff       = 3  // payloads of one call
	profileSize    = 2 << 10
	leastDevices   = 1000
	configurations = "/beta/deviceManagement/deviceConfigurations"
	managedDevices = "/beta/deviceManagement/managedDevices"
)

type object = map[string]any

func (s *site) makeCatalog(ctx context.Context) error {
	for i := range assigned {
		name := fmt.Sprintf("com.example.growth%02d", i)
		var made struct{ ID string }
		err := s.call(ctx, "POST", configurations,
			object{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
				"displayName": "Profile " + name, "payloadFileName": name + ".mobileconfig",
				"payload": profile(name)}, &made)
		if err != nil {
			return err
		}
		s.payloads = append(s.payloads, made.ID)
	}
	return nil
}

// profile is a configuration profile with a web clip.
func profile(name string) []byte {
	part := func(kind, identifier, rest string) string {
		return "<key>PayloadType</key><string>" + kind +
			"</string><key>PayloadVersion</key><integer>1</integer><key>PayloadIdentifier</key>" +
			"<string>" + identifier + "</string><key>PayloadUUID</key><string>" +
			strings.ToUpper(uuid.NewString()) + "</string>" + rest
	}
	clip := part("com.apple.webClip.managed", name+".clip",
		"<key>Label</key><string>Growth</string><key>URL</key><string>https://example.com/")
	head := `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" ` +
		`"http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict>` +
		part("Configuration", name,
			"<key>PayloadDisplayName</key><string>"+name+"</string><key>PayloadContent</key><array><dict>"+clip)
	const end = "</string></dict></array></dict></plist>"
	return []byte(head + strings.Repeat("x", max(0, profileSize-len(head)-len(end))) + end)
}

// makePatterns enrolls the real devices, over HTTPS and SCEP, and lets each go through what it is a
// pattern of.
func (s *site) makePatterns(ctx context.Context) error {
	s.real = make([]*member, realDevices)
	err := s.eachReal(ctx, func(ctx context.Context, i int) (err error) {
		s.real[i], err = s.enroll(ctx, uint64(i))
		return err
	})
	if err != nil {
		return err
	}
	if err := s.assign(ctx); err != nil {
		return err
	}
	return s.eachReal(ctx, func(ctx context.Context, i int) error {
		if err := s.live(ctx, s.real[i], i); err != nil {
			return fmt.Errorf("device %s: %w", s.real[i].Facts().SerialNumber, err)
		}
		return nil
	})
}

func (s *site) eachReal(ctx context.Context, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range realDevices {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

func (s *site) enroll(ctx context.Context, seed uint64) (*member, error) {
	m := &member{Device: s.fleet.Add(simulator.Config{Kind: simulator.IPhone, Seed: seed + 1,
		Supervised: true})}
	var link struct{ URL string }
	if err := s.call(ctx, "POST", "/api/enrollments", object{"expiresIn": "1h"},
		&link); err != nil {
		return nil, err
	}
	if err := m.Enroll(ctx, link.URL); err != nil {
		return nil, err
	}
	var list struct{ Value []struct{ ID string } }
	if err := s.call(ctx, "GET", managedDevices+"?$filter=udid%20eq%20'"+m.Facts().UDID+"'", nil,
		&list); err != nil {
		return nil, err
	}
	if len(list.Value) != 1 {
		return nil, fmt.Errorf("%d devices have UDID %s", len(list.Value), m.Facts().UDID)
	}
	m.id = list.Value[0].ID
	return m, nil
}

// assign puts the real devices into groups, and assigns the payloads to all devices or to the
// groups.
func (s *site) assign(ctx context.Context) error {
	var targets []any
	for g := range groups {
		var made struct{ ID string }
		if err := s.call(ctx, "POST", "/beta/groups",
			object{"displayName": fmt.Sprint("Site ", g), "mailEnabled": false,
				"mailNickname": fmt.Sprint("site", g), "securityEnabled": true},
			&made); err != nil {
			return err
		}
		for i := g; i < realDevices; i += groups {
			if err := s.call(ctx, "POST", "/beta/groups/"+made.ID+"/members/$ref",
				object{"@odata.id": s.server.URL() + "/beta/directoryObjects/" + s.real[i].id},
				nil); err != nil {
				return err
			}
		}
		targets = append(targets,
			object{"target": object{"@odata.type": "#microsoft.graph.groupAssignmentTarget",
				"groupId": made.ID}})
	}
	for i, id := range s.payloads {
		to := []any{object{"target": object{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}}
		if i < throughGroups {
			to = targets
		}
		if err := s.call(ctx, "POST", configurations+"/"+id+"/assign", object{"assignments": to},
			nil); err != nil {
			return err
		}
	}
	return s.server.Engine().Sweep(ctx)
}

// live is a device's history.
func (s *site) live(ctx context.Context, m *member, number int) error {
	if err := s.call(ctx, "POST", managedDevices+"/"+m.id+"/syncDevice", nil, nil); err != nil {
		return err
	}
	if err := m.Connect(ctx); err != nil {
		return err
	}
	turns := 0
	switch {
	case number < withHistory:
		turns = 4
	case number < withHistory+withRemovals:
		turns = 1
	case number < withHistory+withRemovals+withFailures:
		turns = 2
		m.AddHook(simulator.Hook{RequestType: "InstallProfile", Effect: simulator.AnswerError,
			Times: simulator.Always,
			Chain: []simulator.ErrorLink{{Domain: "MCInstallationErrorDomain", Code: 4001,
				Description: "The profile could not be installed."}}})
	}
	for range turns {
		if err := s.toggle(ctx, m); err != nil {
			return err
		}
	}
	m.ClearHooks()
	return nil
}

// toggle takes payloads off a device or puts them back, and lets the device do it.
func (s *site) toggle(ctx context.Context, m *member) error {
	if err := s.act(ctx, m.id, !m.away); err != nil {
		return err
	}
	m.away = !m.away
	return m.Connect(ctx)
}

// act calls the action: it takes payloads off a device for good, or puts back what is off.
func (s *site) act(ctx context.Context, id string, remove bool) error {
	set := []any{}
	if remove {
		for _, payload := range s.payloads[:takenOff] {
			set = append(set, object{"payloadId": payload, "payloadType": "deviceConfiguration"})
		}
	}
	return s.call(ctx, "POST", managedDevices+"/"+id+"/syncPayloads",
		object{"deviceActionPayloads": set}, nil)
}

// reports collects how long the server took for the devices' reports.
type reports struct {
	mu    sync.Mutex
	took  []time.Duration // for answers to commands
	idle  []time.Duration // for check-ins of devices that have nothing to do
	count int             // of both
}

var _ simulator.Observer = (*reports)(nil)

// Reporting implements simulator.Observer.
func (r *reports) Reporting(*simulator.Device) {}

// Answered implements simulator.Observer.
func (r *reports) Answered(_ *simulator.Device, x simulator.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	switch {
	case !x.Idle:
		r.took = append(r.took, x.Took)
	case x.Last:
		r.idle = append(r.idle, x.Took)
	}
}

// take returns what was collected since the last time.
func (r *reports) take() (took, idle []time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	took, idle = r.took, r.idle
	r.took, r.idle = nil, nil
	return took, idle
}

var errNothing = errors.New("there was nothing to measure")
