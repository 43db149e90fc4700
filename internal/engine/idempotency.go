package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// KeyLife is how long a call's key is kept.
const KeyLife = 24 * time.Hour

// ErrKeyReused is returned for a call whose key another call had.
var ErrKeyReused = errors.New("another call had this key")

// ErrChanged is returned for a call that was made for another set than the device has.
var ErrChanged = errors.New("the device's set has changed")

// errRepeated ends the step of a call that was carried out before.
var errRepeated = errors.New("this call was carried out before")

// Key is the name that a caller gives a call, so that it is carried out once however often it is
// sent (IETF draft "The Idempotency-Key HTTP Header Field").
type Key struct {
	Caller string // access.Identity.ID
	Name   string
	Digest []byte // of what the call asks; set by Start
}

// digest tells calls apart by what they ask.
func (c *Call) digest() ([]byte, error) {
	text, err := json.Marshal(struct {
		Name         action.Name
		Set          []action.Selection
		RestoreAfter *time.Duration
	}{c.Name, c.Set, c.RestoreAfter})
	sum := sha256.Sum256(text)
	return sum[:], err
}

// once returns errRepeated if the call was carried out before, ErrKeyReused if its key was another
// call's, and nil when it has remembered the key.
func (c *Call) once(ctx context.Context, tx Tx, id fleet.DeviceID, now time.Time) error {
	if c.Key == nil {
		return nil
	}
	digest, err := c.digest()
	if err != nil {
		return err
	}
	known, err := tx.KeyDigest(ctx, id, c.Key, now.Add(-KeyLife))
	switch {
	case err != nil:
		return err
	case known == nil:
		return tx.SaveKey(ctx, id, &Key{c.Key.Caller, c.Key.Name, digest}, now)
	case bytes.Equal(known, digest):
		return errRepeated
	default:
		return ErrKeyReused
	}
}

// forgotten is how many keys are deleted in one transaction.
const forgotten = 1000

// ForgetKeys deletes the keys that are older than KeyLife.
func (e *Engine) ForgetKeys(ctx context.Context) error {
	for {
		n, err := e.config.Store.DropKeys(ctx, e.config.Clock.Now().Add(-KeyLife), forgotten)
		if err != nil {
			return fmt.Errorf("deleting old idempotency keys: %w", err)
		}
		if n < forgotten {
			return nil
		}
	}
}

// SetTag names the set that is off a device as it stands: every action on the device changes the
// name. The error is fleet.ErrNotFound if there is no such device.
func (e *Engine) SetTag(ctx context.Context, id fleet.DeviceID) (tag string, err error) {
	err = e.look(ctx, id, func(_ Tx, d *action.Device) error {
		tag = setTag(d)
		return nil
	})
	return tag, err
}

func setTag(d *action.Device) string {
	h := sha256.New()
	if d.Action != nil {
		fmt.Fprintln(h, d.Action.ID)
	}
	for _, p := range d.Payloads {
		if p.Away && p.Intent == action.Remove {
			fmt.Fprintln(h, p.ID)
		}
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
