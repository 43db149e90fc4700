package catalog

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// replaceFile makes the new file p's content.
func (p *Payload) replaceFile(ctx context.Context, tx Tx, profile *Profile, file []byte) error {
	if profile.Identifier != p.Identifier {
		return &Invalid{Property: "payload", Reason: fmt.Sprintf(
			"PayloadIdentifier is %q, and this configuration's is %q: devices would keep both; make a new configuration for another identifier",
			profile.Identifier, p.Identifier)}
	}
	return p.takeFile(ctx, tx, profile, file, p.Version+1)
}

// takeFile makes a file p's content of a version. Devices tell profiles of one identifier, and their versions, apart by
// PayloadUUID, so a version whose UUID another one had gets a UUID of its own.
func (p *Payload) takeFile(ctx context.Context, tx Tx, profile *Profile, file []byte, version int64) error {
	p.Identifier, p.Content, p.Original, p.Revision, p.SubType = profile.Identifier, file, nil, profile.UUID, profile.SubType
	used, err := tx.RevisionUsed(ctx, p, p.Revision)
	if err != nil || !used {
		return err
	}
	p.Revision = versionUUID(p.ID, version)
	p.Original = file
	p.Content, err = profile.WithUUID(p.Revision)
	return err
}

// versionSpace is the UUIDv5 namespace (RFC 9562) of the versions of a configuration.
var versionSpace = uuid.MustParse("0d3d8b0b-5c43-4b42-9d16-6d1f0c6a0f5e")
