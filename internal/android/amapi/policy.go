package amapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/googleapi"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// policyName is the name of a device's own policy.
func policyName(enterprise string, id fleet.DeviceID) string {
	return enterprise + "/policies/" + string(id)
}

// postPolicy makes a document the whole content of a policy and returns its version.
func (g *google) postPolicy(ctx context.Context, name string, doc []byte) (version int64,
	err error) {
	sent := new(androidmanagement.Policy)
	if err := json.Unmarshal(doc, sent); err != nil {
		return 0, err
	}
	unchanged := false
	err = g.ask(ctx, "set a device's policy", func(ctx context.Context) error {
		kept, err := g.amapi.Enterprises.Policies.Patch(name, sent).Context(ctx).Do()
		if googleapi.IsNotModified(unwrapped(err)) {
			unchanged = true
			return nil
		}
		if err == nil {
			version = kept.Version
		}
		return err
	})
	if err == nil && (unchanged || version == 0) {
		kept, err := g.policy(ctx, name)
		if err != nil {
			return 0, err
		}
		version = kept.Version
	}
	return version, err
}

// unwrapped is Google's error within another one.
func unwrapped(err error) error {
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return answer
	}
	return err
}

func (g *google) policy(ctx context.Context,
	name string) (p *androidmanagement.Policy, err error) {
	err = g.ask(ctx, "read a device's policy", func(ctx context.Context) (err error) {
		p, err = g.amapi.Enterprises.Policies.Get(name).Context(ctx).Do()
		return err
	})
	return p, err
}

// canonical is a policy as JSON, by which two of the same content are the same: without what Google
// writes into it, and without what has its default.
func canonical(p *androidmanagement.Policy) ([]byte, error) {
	bare := *p
	bare.Name, bare.Version = "", 0
	text, err := json.Marshal(&bare)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// contentHash tells documents of the same content by the same text.
func contentHash(p *androidmanagement.Policy) (string, error) {
	text, err := canonical(p)
	return digest(text), err
}

// documentHash is contentHash of what postPolicy would send.
func documentHash(doc []byte) (string, error) {
	p := new(androidmanagement.Policy)
	if err := json.Unmarshal(doc, p); err != nil {
		return "", err
	}
	return contentHash(p)
}
