package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// readFile has the compiler read a file, which only forms that are made of one may have.
func (f *Form) readFile(file []byte, name string) (any, error) {
	if f.File {
		return f.Compiler.ReadFile(file)
	}
	if file != nil || name != "" {
		return nil, &invalid.Input{Property: "payload", Reason: f.Type + " has no file"}
	}
	return nil, nil
}

// compile makes p what its draft comes to.
func (p *Payload) compile(ctx context.Context, tx Tx, form *Form, d *Draft) error {
	content, err := form.Compiler.Compile(ctx, form, d, lookup{tx, p})
	if err != nil {
		return err
	}
	if d.Old != nil && content.Identifier != d.Old.Identifier {
		return &invalid.Input{Property: content.IdentifiedBy, Reason: fmt.Sprintf(
			"it would be known to devices as %q, and is as %q: they would keep both; make a new %s",
			content.Identifier, d.Old.Identifier, form.Collection.One)}
	}
	if d.Old != nil && !slices.Equal(content.Platforms, d.Old.Platforms) {
		return &invalid.Input{Property: content.PlatformsBy,
			Reason: "the platforms never change: make a new " + form.Collection.One}
	}
	p.Identifier, p.Revision, p.SubType, p.Platforms = content.Identifier, content.Revision,
		content.SubType, content.Platforms
	p.Content, p.Original = content.Installed, content.Uploaded
	p.Properties, err = json.Marshal(d.Properties)
	return err
}

// lookup answers what the compiler of a payload asks.
type lookup struct {
	tx Tx
	of *Payload
}

func (l lookup) Payload(ctx context.Context, id action.PayloadID) (*Payload, error) {
	p, err := l.tx.Payload(ctx, id)
	if err == nil && !sees(ctx, p) {
		return nil, ErrNotFound
	}
	return p, err
}

func (l lookup) RevisionUsed(ctx context.Context, c *Content, revision string) (bool, error) {
	p := *l.of
	p.Identifier, p.Platforms = c.Identifier, c.Platforms
	return l.tx.RevisionUsed(ctx, &p, revision)
}
