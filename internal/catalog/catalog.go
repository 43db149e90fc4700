package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Catalog is the service that keeps payloads, assignments and groups. Every write that changes
// which devices get what records that change in its own transaction.
type Catalog struct {
	// Told is called when a write was committed of which the event log tells. It must not wait.
	// Set it before the first call; nil: the log finds out by itself.
	Told func()

	store Store
	forms *Forms
	now   func() time.Time
	newID func() string // a GUID in lower case
}

// New makes the service on a store, with the forms of what it takes.
func New(store Store, forms *Forms, now func() time.Time, newID func() string) *Catalog {
	return &Catalog{store: store, forms: forms, now: now, newID: newID}
}

// Input is a payload to create.
type Input struct {
	ODataType   string // without '#microsoft.graph.'
	DisplayName string
	Description string
	FileName    string          // of a form that is made of a file
	File        []byte          // of such a form
	Tags        []string        // ids of scope tags; none: the default tag
	Properties  json.RawMessage // the other Graph properties: a JSON object
	// the policy of which it is a copy, whose secrets the tokens in Properties stand for; nil: none
	CopyOf *Payload
}

// Patch is an edit of a payload. Nil leaves a field as it is.
type Patch struct {
	DisplayName *string
	Description *string
	FileName    *string
	File        []byte
	Tags        []string
	Properties  json.RawMessage // those to set; null takes one away
}

// Create adds a payload. The error is an *invalid.Input if the input is at fault.
func (c *Catalog) Create(ctx context.Context, in Input) (*Payload, error) {
	if err := errors.Join(checkNames(in.DisplayName, in.Description),
		checkFileName(in.FileName)); err != nil {
		return nil, err
	}
	props, err := ParseProperties(in.Properties)
	if err != nil {
		return nil, err
	}
	form, err := c.forms.forNew(in.ODataType, props)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(form.checkTexts(props), form.checkOwn(props)); err != nil {
		return nil, err
	}
	props.merge(props) // null is no value
	stored := Properties{}
	if in.CopyOf != nil {
		if stored, err = in.CopyOf.properties(); err != nil {
			return nil, err
		}
	}
	if props, err = c.hideNewSecrets(form, stored, props); err != nil {
		return nil, err
	}
	read, err := form.readFile(in.File, in.FileName)
	if err != nil {
		return nil, err
	}
	now := c.now().UTC()
	p := &Payload{ID: action.PayloadID(c.newID()), Type: form.Collection.Kind, ODataType: form.Type,
		DisplayName: in.DisplayName, Description: in.Description, FileName: in.FileName, Version: 1,
		Created: now, LastModified: now}
	err = c.store.UpdateCatalog(ctx, func(tx Tx) error {
		if p.Tags, err = checkTags(ctx, tx, in.Tags); err != nil {
			return err
		}
		draft := &Draft{ID: p.ID, Version: p.Version, File: in.File, Read: read,
			Properties: maps.Clone(props), Changed: props}
		if err := p.compile(ctx, tx, form, draft); err != nil {
			return err
		}
		notePayload(ctx, form, nil, p)
		return tx.InsertPayload(ctx, p)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Get returns a payload with its content; ErrNotFound if there is none.
func (c *Catalog) Get(ctx context.Context, id action.PayloadID) (p *Payload, err error) {
	err = c.store.ViewCatalog(ctx, func(tx Tx) error {
		p, err = tx.Payload(ctx, lowerID(id))
		return err
	})
	return p, err
}

// List returns the payloads that a query selects, without their content.
func (c *Catalog) List(ctx context.Context, q query.Query) (page query.Page[*Payload], err error) {
	err = c.store.ViewCatalog(ctx, func(tx Tx) error {
		page, err = tx.Payloads(ctx, q)
		return err
	})
	return page, err
}

// Update edits a payload. What is installed decides whether it becomes a new version; a new name
// alone does not. The error is ErrNotFound, an *invalid.Input if the patch is at fault, or that of
// a condition on the payload as it stands.
func (c *Catalog) Update(ctx context.Context, id action.PayloadID, patch Patch,
	only ...func(*Payload) error) (*Payload, error) {
	e, err := c.readEdit(ctx, id, patch)
	if err != nil {
		return nil, err
	}
	var updated *Payload
	err = c.store.UpdateCatalog(ctx, func(tx Tx) error {
		current, err := tx.Payload(ctx, lowerID(id))
		if err != nil {
			return err
		}
		if err := fulfils(current, only); err != nil {
			return err
		}
		updated, err = c.applyEdit(ctx, tx, current, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return updated, nil
}

// readEdit reads a patch of a payload as far as that can be done before the transaction: what a
// payload is never changes.
func (c *Catalog) readEdit(ctx context.Context, id action.PayloadID, patch Patch) (*edit, error) {
	changes, err := ParseProperties(patch.Properties)
	if err != nil {
		return nil, err
	}
	if patch.FileName != nil {
		if err := checkFileName(*patch.FileName); err != nil {
			return nil, err
		}
	}
	seen, err := c.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if seen.MirroredFrom != "" {
		return nil, ErrMirrored
	}
	form := c.forms.OfPayload(seen)
	if form == nil {
		return nil, &invalid.Input{Property: "@odata.type",
			Reason: seen.ODataType + " is not a type that this server keeps any more"}
	}
	if err := errors.Join(form.checkTexts(changes), form.checkOwn(changes)); err != nil {
		return nil, err
	}
	e := &edit{form: form, patch: patch, changes: changes}
	if patch.File != nil {
		if e.read, err = form.readFile(patch.File, ""); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// applyEdit makes the payload that an edit makes of the one that there is.
func (c *Catalog) applyEdit(ctx context.Context, tx Tx, current *Payload,
	e *edit) (*Payload, error) {
	p := *current
	if err := c.edit(ctx, tx, &p, current, e); err != nil {
		return nil, err
	}
	if err := c.saveEdit(ctx, tx, current, &p); err != nil {
		return nil, err
	}
	notePayload(ctx, e.form, current, &p)
	return &p, nil
}

// edit is a patch of a payload, as far as it was read before the transaction.
type edit struct {
	form    *Form
	patch   Patch
	changes Properties
	read    any // of the patch's file
}

// edit applies a patch.
func (c *Catalog) edit(ctx context.Context, tx Tx, p, current *Payload, e *edit) error {
	set(&p.DisplayName, e.patch.DisplayName)
	set(&p.Description, e.patch.Description)
	set(&p.FileName, e.patch.FileName)
	if err := checkNames(p.DisplayName, p.Description); err != nil {
		return err
	}
	if !e.form.File && p.FileName != "" {
		return &invalid.Input{Property: "payload", Reason: e.form.Type + " has no file"}
	}
	if e.patch.Tags != nil {
		tags, err := checkTags(ctx, tx, e.patch.Tags)
		if err != nil {
			return err
		}
		p.Tags = tags
	}
	d := &Draft{ID: p.ID, Old: current, Version: current.Version + 1}
	if e.patch.File != nil && !bytes.Equal(e.patch.File, current.Uploaded()) {
		d.File, d.Read = e.patch.File, e.read
	}
	if len(e.changes) == 0 && d.File == nil {
		return nil
	}
	var err error
	if d.Properties, err = current.properties(); err != nil {
		return err
	}
	if d.Changed, err = c.hideNewSecrets(e.form, d.Properties, e.changes); err != nil {
		return err
	}
	d.Properties.merge(d.Changed)
	return p.compile(ctx, tx, e.form, d)
}

// properties are those that are stored.
func (p *Payload) properties() (Properties, error) {
	props, err := ParseProperties(p.Properties)
	if err != nil {
		return nil, fmt.Errorf("stored properties of %s: %w", p.ID, err)
	}
	return props, nil
}

func set(field, value *string) {
	if value != nil {
		*field = *value
	}
}

func (c *Catalog) saveEdit(ctx context.Context, tx Tx, current, p *Payload) error {
	p.LastModified = c.now().UTC()
	if bytes.Equal(p.Content, current.Content) {
		return tx.UpdatePayload(ctx, p)
	}
	p.Version++
	if err := tx.UpdatePayload(ctx, p); err != nil {
		return err
	}
	return recordTargets(ctx, tx, p.ID)
}

// fulfils returns the error of the first condition that a thing as it stands does not fulfil.
func fulfils[T any](current T, conditions []func(T) error) error {
	for _, condition := range conditions {
		if err := condition(current); err != nil {
			return err
		}
	}
	return nil
}

// Delete deletes a payload with its assignments: devices that have it lose it. The error is
// ErrNotFound, or that of a condition on the payload as it stands.
func (c *Catalog) Delete(ctx context.Context, id action.PayloadID,
	only ...func(*Payload) error) error {
	return c.store.UpdateCatalog(ctx, func(tx Tx) error {
		p, err := tx.Payload(ctx, lowerID(id))
		if err != nil {
			return err
		}
		if p.MirroredFrom != "" {
			return ErrMirrored
		}
		if err := fulfils(p, only); err != nil {
			return err
		}
		notePayload(ctx, c.forms.OfPayload(p), p, nil)
		if err := recordTargets(ctx, tx, p.ID); err != nil {
			return err
		}
		return tx.DeletePayload(ctx, p.ID)
	})
}

func lowerID(id action.PayloadID) action.PayloadID {
	return action.PayloadID(strings.ToLower(string(id)))
}
