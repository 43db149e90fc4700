package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
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
