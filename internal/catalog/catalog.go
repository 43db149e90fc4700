package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Catalog is the service that keeps payloads, assignments and groups. Every write that changes which devices get what
// records that change in its own transaction.
type Catalog struct {
	store Store
	now   func() time.Time
	newID func() string // a GUID in lower case
}

// New makes the service on a store.
func New(store Store, now func() time.Time, newID func() string) *Catalog {
	return &Catalog{store: store, now: now, newID: newID}
}

// Graph's types of configurations that are a file.
const (
	IOSCustomConfiguration   = "iosCustomConfiguration"
	MacOSCustomConfiguration = "macOSCustomConfiguration"
)

// forms are the Graph types that the catalog takes.
var forms = map[string]struct {
	kind      action.PayloadType
	platforms []fleet.Platform // of an app: follows from its properties
}{
	IOSCustomConfiguration:    {action.DeviceConfiguration, iosFamily},
	MacOSCustomConfiguration:  {action.DeviceConfiguration, macs},
	IOSStoreApp:               {kind: action.Application},
	IOSVPPApp:                 {kind: action.Application},
	IOSLOBApp:                 {kind: action.Application},
	MacOSPkgApp:               {kind: action.Application},
	IOSMobileAppConfiguration: {kind: action.AppConfiguration},
	SettingsCatalogPolicy:     {kind: action.ConfigurationPolicy},
}

// Input is a payload to create.
type Input struct {
	ODataType   string // without '#microsoft.graph.'
	DisplayName string
	Description string
	FileName    string          // of a custom configuration
	File        []byte          // of a custom configuration: the .mobileconfig
	Tags        []string        // ids of scope tags; none: the default tag
	Properties  json.RawMessage // the other Graph properties: a JSON object
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

// Create adds a payload. The error is an *Invalid if the input is at fault.
func (c *Catalog) Create(ctx context.Context, in Input) (*Payload, error) {
	form, ok := forms[in.ODataType]
	if !ok {
		return nil, &Invalid{Property: "@odata.type", Reason: fmt.Sprintf("%.60q is not a type that this server keeps", in.ODataType)}
	}
	if err := errors.Join(checkNames(in.DisplayName, in.Description), checkFileName(in.FileName)); err != nil {
		return nil, err
	}
	props, err := parseProperties(in.Properties)
	if err != nil {
		return nil, err
	}
	if err := props.checkTexts(); err != nil {
		return nil, err
	}
	props.merge(props) // null is no value
	if props, err = c.hideSecrets(form.kind, props, nil); err != nil {
		return nil, err
	}
	now := c.now().UTC()
	p := &Payload{ID: action.PayloadID(c.newID()), Type: form.kind, ODataType: in.ODataType, Platforms: form.platforms,
		DisplayName: in.DisplayName, Description: in.Description, FileName: in.FileName, Version: 1, Created: now, LastModified: now}
	if err := p.acceptFile(in.File); err != nil {
		return nil, err
	}
	var profile *Profile
	if p.Type == action.DeviceConfiguration {
		if profile, err = ParseProfile(in.File); err != nil {
			return nil, err
		}
	}
	err = c.store.UpdateCatalog(ctx, func(tx Tx) error {
		if p.Tags, err = checkTags(ctx, tx, in.Tags); err != nil {
			return err
		}
		if profile != nil {
			if err := p.takeFile(ctx, tx, profile, in.File, p.Version); err != nil {
				return err
			}
		}
		if err := p.fill(ctx, tx, props, true); err != nil {
			return err
		}
		notePayload(ctx, nil, p)
		return tx.InsertPayload(ctx, p)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// acceptFile checks that a file is given only where there is one.
func (p *Payload) acceptFile(file []byte) error {
	if p.Type != action.DeviceConfiguration && (file != nil || p.FileName != "") {
		return &Invalid{Property: "payload", Reason: p.ODataType + " has no file"}
	}
	return nil
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

// Update edits a payload. What is installed decides whether it becomes a new version; a new name alone does not.
// The error is ErrNotFound, an *Invalid if the patch is at fault, or that of a condition on the payload as it stands.
func (c *Catalog) Update(ctx context.Context, id action.PayloadID, patch Patch, only ...func(*Payload) error) (*Payload, error) {
	changes, err := parseProperties(patch.Properties)
	if err != nil {
		return nil, err
	}
	if err := changes.checkTexts(); err != nil {
		return nil, err
	}
	if patch.FileName != nil {
		if err := checkFileName(*patch.FileName); err != nil {
			return nil, err
		}
	}
	var profile *Profile
	if patch.File != nil {
		if profile, err = ParseProfile(patch.File); err != nil {
			return nil, err
		}
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
		p := *current
		updated = &p
		changes, err := c.hideNewSecrets(current, changes)
		if err != nil {
			return err
		}
		if err := p.edit(ctx, tx, patch, changes); err != nil {
			return err
		}
		if profile != nil && !bytes.Equal(patch.File, current.Uploaded()) {
			if err := p.replaceFile(ctx, tx, profile, patch.File); err != nil {
				return err
			}
		}
		if err := c.saveEdit(ctx, tx, current, &p); err != nil {
			return err
		}
		notePayload(ctx, current, &p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return updated, nil
}

// edit applies all of a patch but its file.
func (p *Payload) edit(ctx context.Context, tx Tx, patch Patch, changes properties) error {
	set(&p.DisplayName, patch.DisplayName)
	set(&p.Description, patch.Description)
	set(&p.FileName, patch.FileName)
	if err := checkNames(p.DisplayName, p.Description); err != nil {
		return err
	}
	if err := p.acceptFile(patch.File); err != nil {
		return err
	}
	if patch.Tags != nil {
		tags, err := checkTags(ctx, tx, patch.Tags)
		if err != nil {
			return err
		}
		p.Tags = tags
	}
	if len(changes) == 0 {
		return nil
	}
	props, err := parseProperties(p.Properties)
	if err != nil {
		return fmt.Errorf("stored properties of %s: %w", p.ID, err)
	}
	props.merge(changes)
	_, retarget := changes["targetedMobileApps"]
	return p.fill(ctx, tx, props, retarget)
}

func set(field, value *string) {
	if value != nil {
		*field = *value
	}
}

func (c *Catalog) saveEdit(ctx context.Context, tx Tx, current, p *Payload) error {
	if p.Identifier != current.Identifier {
		return &Invalid{Property: p.identifiedBy(), Reason: fmt.Sprintf(
			"the bundle id is %q and cannot become %q: devices would keep both; make a new %s", current.Identifier, p.Identifier, p.ODataType)}
	}
	if !slices.Equal(p.Platforms, current.Platforms) {
		return &Invalid{Property: "applicableDeviceType", Reason: "the platforms of an app never change: make a new app"}
	}
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

// Delete deletes a payload with its assignments: devices that have it lose it. The error is ErrNotFound, or that of a
// condition on the payload as it stands.
func (c *Catalog) Delete(ctx context.Context, id action.PayloadID, only ...func(*Payload) error) error {
	return c.store.UpdateCatalog(ctx, func(tx Tx) error {
		p, err := tx.Payload(ctx, lowerID(id))
		if err != nil {
			return err
		}
		if err := fulfils(p, only); err != nil {
			return err
		}
		notePayload(ctx, p, nil)
		if err := recordTargets(ctx, tx, p.ID); err != nil {
			return err
		}
		return tx.DeletePayload(ctx, p.ID)
	})
}

func lowerID(id action.PayloadID) action.PayloadID {
	return action.PayloadID(strings.ToLower(string(id)))
}
