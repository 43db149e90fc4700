// Package catalog holds the policies and apps that an organization assigns to its devices: their
// versions, assignments, scope tags and groups. It knows no platform: what a payload is made of,
// and what becomes of it, say the forms that platforms bring (Form). It imports the rules, the
// fleet and what a query is, and no room that serves or stores.
//
// Begin reading in form.go, then catalog.go.
package catalog

import (
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Payload is one policy or app. Its ID, Type, Identifier and Platforms never change; an edit of
// Content makes a new Version.
type Payload struct {
	ID          action.PayloadID
	Type        action.PayloadType
	ODataType   string // Graph's type without '#microsoft.graph.': that of its Form
	DisplayName string
	Description string
	SubType     string // wiFi, vpn, email, trustedCertificate, ..., custom; application for apps
	Platforms   []fleet.Platform
	// what devices know it by; of several with one identifier a device gets the oldest
	Identifier   string
	Revision     string // by which an inventory tells versions apart; empty where it does not
	Version      int64  // starts at 1
	Content      []byte // what a channel installs; only the payload's platform reads it
	Original     []byte // the file as uploaded, where Content had to differ from it; else nil
	FileName     string
	Properties   []byte   // the remaining Graph properties as JSON, given back as they came
	Tags         []string // ids of scope tags, at least one
	Created      time.Time
	LastModified time.Time
	// MirroredFrom is the name of the system that keeps the payload, and installs it: here it is
	// only shown. Empty: it is this server's own.
	MirroredFrom string
}

// Spec is the payload as the rules know it.
func (p *Payload) Spec() action.Spec {
	return action.Spec{ID: p.ID, Type: p.Type, Identifier: p.Identifier, Revision: p.Revision,
		Version:     p.Version,
		DisplayName: p.DisplayName, SubType: p.SubType}
}

// Uploaded is the file as it was uploaded.
func (p *Payload) Uploaded() []byte {
	if p.Original != nil {
		return p.Original
	}
	return p.Content
}

// Family names the platforms on which the payload shares identifiers with others.
func (p *Payload) Family() fleet.Platform {
	if len(p.Platforms) == 0 {
		return ""
	}
	return p.Platforms[0].Family()
}

// TargetKind is whom an assignment addresses.
type TargetKind string

const (
	AllDevices   TargetKind = "allDevices"
	Group        TargetKind = "group"
	ExcludeGroup TargetKind = "excludeGroup"
	OneDevice    TargetKind = "device"
)

// Assignment addresses a payload to devices. Target is a group's or a device's id, empty for
// AllDevices.
type Assignment struct {
	ID     string
	Kind   TargetKind
	Target string
}

// DeviceGroup is a set of devices.
type DeviceGroup struct {
	ID          string
	DisplayName string
	Description string
	Nickname    string // Graph's mailNickname: groups here have no mail
	Created     time.Time
}

// ErrMirrored is returned for a change of a payload that another system keeps.
var ErrMirrored = errors.New("another system keeps this policy or app: change it there")

// ErrNotFound is returned for a payload or group that does not exist.
var ErrNotFound = errors.New("not in the catalog")
