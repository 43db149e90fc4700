package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// maxNoted bounds what the audit record keeps of one property, in bytes of JSON. Of a longer one it
// keeps the SHA-256.
const maxNoted = 1024

// notePayload tells the audit record what became of a payload. Nil: it is not there.
func notePayload(ctx context.Context, form *Form, before, after *Payload) {
	if audit.Of(ctx) == nil {
		return
	}
	p := after
	if p == nil {
		p = before
	}
	audit.Note(ctx, audit.Object{Type: p.ODataType, ID: string(p.ID), Name: p.DisplayName,
		Before: before.noted(form), After: after.noted(form)})
}

// noted is what the audit record keeps of a payload: everything but its content and what else may
// hold secrets. Of a file it keeps the SHA-256, of private properties that there is another
// version. Of a type that is not known any more it keeps no property.
func (p *Payload) noted(form *Form) json.RawMessage {
	if p == nil {
		return nil
	}
	noted := map[string]any{"displayName": p.DisplayName, "description": p.Description,
		"version":    p.Version,
		"identifier": p.Identifier, "roleScopeTagIds": p.Tags}
	props, _ := ParseProperties(p.Properties) // stored ones were checked
	for name, value := range props {
		var known *Property
		if form != nil {
			known = form.Property(name)
		}
		switch {
		case form == nil || known != nil && known.Private ||
			name == secretsProperty && form.Settings != nil:
		case len(value) > maxNoted:
			noted[name] = fingerprint(value)
		default:
			noted[name] = value
		}
	}
	if form != nil && form.File {
		noted["payloadFileName"], noted["payload"] = p.FileName, fingerprint(p.Uploaded())
	}
	text, _ := json.Marshal(noted) // properties are JSON, and the rest always marshals
	return text
}

func fingerprint(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// noteAssignments tells the audit record to whom a payload was assigned, and is.
func noteAssignments(ctx context.Context, p *Payload, before, after []Assignment) {
	audit.Note(ctx, audit.Object{Type: p.ODataType, ID: string(p.ID), Name: p.DisplayName,
		Before: notedAssignments(before),
		After:  notedAssignments(after)})
}

// noteAssignedEdit tells it of assignments and of the edit that came with them: one note of an
// object takes the place of another.
func noteAssignedEdit(ctx context.Context, form *Form, before, after *Payload, old,
	list []Assignment) {
	if audit.Of(ctx) == nil {
		return
	}
	both := func(p *Payload, list []Assignment) json.RawMessage {
		edited, assigned := p.noted(form), notedAssignments(list)
		return slices.Concat(edited[:len(edited)-1], []byte(","), assigned[1:])
	}
	audit.Note(ctx, audit.Object{Type: after.ODataType, ID: string(after.ID),
		Name: after.DisplayName, Before: both(before, old), After: both(after, list)})
}

func notedAssignments(list []Assignment) json.RawMessage {
	type target struct {
		Kind   TargetKind `json:"kind"`
		Target string     `json:"target,omitempty"`
	}
	targets := make([]target, len(list))
	for i, a := range list {
		targets[i] = target{a.Kind, a.Target}
	}
	text, _ := json.Marshal(map[string][]target{"assignments": targets}) // texts always marshal
	return text
}

// noteGroup tells the audit record what became of a group. Nil: it is not there.
func noteGroup(ctx context.Context, before, after *DeviceGroup) {
	g := after
	if g == nil {
		g = before
	}
	audit.Note(ctx, audit.Object{Type: "group", ID: g.ID, Name: g.DisplayName,
		Before: before.noted(), After: after.noted()})
}

func (g *DeviceGroup) noted() json.RawMessage {
	if g == nil {
		return nil
	}
	// texts always marshal
	text, _ := json.Marshal(map[string]string{"displayName": g.DisplayName,
		"description": g.Description, "mailNickname": g.Nickname})
	return text
}

// noteMember tells the audit record that a device came into a group, or left it.
func noteMember(ctx context.Context, g *DeviceGroup, device fleet.DeviceID, before, after bool) {
	noted := func(is bool) json.RawMessage {
		member := map[string]any{"member": nil}
		if is {
			member["member"] = device
		}
		text, _ := json.Marshal(member) // texts always marshal
		return text
	}
	audit.Note(ctx, audit.Object{Type: "group", ID: g.ID, Name: g.DisplayName,
		Before: noted(before), After: noted(after)})
	audit.Note(ctx, audit.Object{Type: "managedDevice", ID: string(device)})
}
