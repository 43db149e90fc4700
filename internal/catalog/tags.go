package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// MaxTags is the most scope tags that one device or payload may carry.
const MaxTags = 100

// PayloadTags returns the scope tags of a payload; none if it does not exist any more.
func (c *Catalog) PayloadTags(ctx context.Context, id action.PayloadID) (tags []string, err error) {
	err = c.store.ViewCatalog(ctx, func(tx Tx) error {
		tags, err = tx.PayloadTags(ctx, id)
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return err
	})
	return tags, err
}

// TagDevice gives a device these scope tags in place of those it has. The error is
// fleet.ErrNotFound if there is no such device, and an *invalid.Input if a tag does not exist.
func (c *Catalog) TagDevice(ctx context.Context, id fleet.DeviceID, tags []string) error {
	id = fleet.DeviceID(strings.ToLower(string(id)))
	return c.store.UpdateCatalog(ctx, func(tx Tx) error {
		tags, err := checkTags(ctx, tx, tags)
		if err != nil {
			return err
		}
		old, err := tx.DeviceTags(ctx, id)
		if err != nil {
			return err
		}
		audit.Note(ctx, audit.Object{Type: "managedDevice", ID: string(id), Before: shownTags(old),
			After: shownTags(tags)})
		return tx.TagDevice(ctx, id, tags)
	})
}

// checkTags returns the tags in order, each once; none is the default tag. The error is an
// *invalid.Input.
func checkTags(ctx context.Context, tx Tx, tags []string) ([]string, error) {
	if len(tags) > MaxTags {
		return nil, &invalid.Input{Property: "roleScopeTagIds",
			Reason: fmt.Sprintf("has %d elements; at most %d are possible", len(tags), MaxTags)}
	}
	if len(tags) == 0 {
		return []string{fleet.DefaultTag}, nil
	}
	tags = slices.Compact(slices.Sorted(slices.Values(tags)))
	for _, tag := range tags {
		ok, err := tx.TagExists(ctx, tag)
		if err == nil && !ok {
			err = &invalid.Input{Property: "roleScopeTagIds",
				Reason: fmt.Sprintf("there is no scope tag %.60q", tag)}
		}
		if err != nil {
			return nil, err
		}
	}
	return tags, nil
}

func shownTags(tags []string) json.RawMessage {
	text, _ := json.Marshal(map[string][]string{"roleScopeTagIds": tags}) // strings always marshal
	return text
}
