package direct

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

const actionName = "changeAssignments"

// posting is a set that this client handed over.
type posting struct {
	after time.Time // the start of the action before it, by Intune's clock
	set   []string  // ids, sorted
	seen  bool      // Intune has shown it
}

// newest is the element of the action that was started last; nil: there is none.
func newest(results []client.ActionResult) *client.ActionResult {
	return client.Latest(slices.DeleteFunc(slices.Clone(results),
		func(r client.ActionResult) bool { return r.Name != actionName }))
}

// inSet reports whether an item belongs to the set that is off a device, or is on its way there.
func inSet(p *client.PayloadResult) bool {
	return p.Intent == client.Remove && p.Status != client.Failed && p.Status != client.Succeeded
}

// Payloads lists what Intune assigns to a device, or keeps off it. Its reports may be hours old;
// Missing says what they did not tell.
func (c *Client) Payloads(ctx context.Context, device string) ([]client.Payload, error) {
	found, _, err := c.PayloadSet(ctx, device)
	return found, err
}

// PayloadSet returns what Payloads does. Graph has no tag by which a call could be made to depend
// on what was read: the tag is empty, and what somebody else does in between may be lost.
func (c *Client) PayloadSet(ctx context.Context,
	device string) (found []client.Payload, tag string, err error) {
	d, err := c.graph.Device(ctx, device)
	if err != nil {
		return nil, "", err
	}
	assigned, err := c.graph.Assigned(ctx, device, d.UserID)
	if err != nil {
		return nil, "", err
	}
	c.mu.Lock()
	c.missing = assigned.Missing
	c.mu.Unlock()
	results, err := c.ActionResults(ctx, device) // the last of all, just before a call
	if err != nil {
		return nil, "", err
	}
	for _, i := range assigned.Items {
		found = append(found, client.Payload{ID: i.ID, Type: client.PayloadType(i.Kind),
			DisplayName: i.Name, Assigned: true, Presence: client.Unknown, Work: client.WorkIdle})
	}
	if current := newest(results); current != nil {
		for i := range current.Payloads {
			found = merge(found, &current.Payloads[i])
		}
	}
	for i := range found {
		if found[i].DisplayName == "" {
			found[i].DisplayName = found[i].ID
		}
	}
	return found, "", nil
}

// Missing says what the newest Payloads could not tell, and why.
func (c *Client) Missing() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.missing
}

// merge puts what an action says of an item into the list of payloads.
func merge(list []client.Payload, r *client.PayloadResult) []client.Payload {
	i := slices.IndexFunc(list, func(p client.Payload) bool { return p.ID == r.ID })
	if i < 0 {
		// What is off is in no report, so it counts as assigned while it is in the set.
		list = append(list, client.Payload{ID: r.ID, Type: r.Type, DisplayName: r.DisplayName,
			Assigned: true})
		i = len(list) - 1
	}
	p := &list[i]
	p.SubType, p.Removed = r.SubType, inSet(r)
	p.Presence, p.Work = client.Unknown, client.WorkSent
	switch r.Status {
	case client.Initiated:
		p.Work = client.WorkQueued
	case client.Removed:
		p.Presence, p.Work = client.Absent, client.WorkIdle
	case client.Succeeded:
		p.Presence, p.Work = client.Present, client.WorkIdle
	case client.Failed:
		p.Work = client.WorkFailed
		p.Error = &client.Failure{Code: r.ErrorCode, Source: "device", Detail: r.Detail}
	}
	return list
}

// SyncPayloads hands over the whole set of what is to be off the device: what an earlier set had,
// and this one does not, is restored. Graph cannot be told when, so RestoreAfter is an error: Intune
// restores by itself 8 to 24 hours later. IfMatch and Key are not used.
func (c *Client) SyncPayloads(ctx context.Context, device string, set []client.Selection,
	o client.SyncOptions) error {
	if o.RestoreAfter != nil {
		return errors.New("the time of the restore cannot be given to Graph: Intune restores by itself after " +
			"8 to 24 hours; leave --restore-after out, or use a syncpayloads server")
	}
	before, err := c.read(ctx, device)
	if err != nil {
		return err
	}
	mine := posting{}
	union := make(map[string]bool)
	if current := newest(before); current != nil {
		mine.after = current.Started
		for i := range current.Payloads {
			if inSet(&current.Payloads[i]) {
				union[current.Payloads[i].ID] = true
			}
		}
	}
	items := make([]tenant.ActionItem, len(set))
	for i, s := range set {
		items[i] = tenant.ActionItem{ID: s.ID, Kind: tenant.Kind(s.Type), Intent: tenant.Remove}
		mine.set = append(mine.set, s.ID)
		union[s.ID] = true
	}
	if len(union) > tenant.MostItems {
		return fmt.Errorf("%d payloads, with those that are off the device already: an action of "+
			"Intune's has at most %d; restore some first", len(union), tenant.MostItems)
	}
	slices.Sort(mine.set)
	if err := c.post(ctx, device, items, mine); err != nil {
		return err
	}
	c.mu.Lock()
	c.posted[device] = mine
	c.mu.Unlock()
	return nil
}

const (
	mostPosts  = 3
	afterLoss  = 2 * time.Second // before reading whether a call without an answer was done
	notShownIn = 10 * time.Minute
)

// post hands over a set. If the answer is lost, it reads whether the call was done, and makes it
// again only if it was not: handing over the same set twice does no harm.
func (c *Client) post(ctx context.Context, device string, items []tenant.ActionItem,
	mine posting) error {
	for try := 1; ; try++ {
		_, err := c.graph.ChangeAssignments(ctx, device, items)
		if err == nil || try == mostPosts || !tenant.Passing(err) {
			return err
		}
		if waited := sleep(ctx, afterLoss); waited != nil {
			return waited
		}
		results, readErr := c.read(ctx, device)
		if readErr != nil {
			return fmt.Errorf("it is not known whether Intune took the action: %w", err)
		}
		current := newest(results)
		if current == nil || !current.Started.After(mine.after) {
			continue
		}
		if mine.is(current) {
			return nil
		}
		return fmt.Errorf("somebody else changed what is off the device meanwhile; look, and try "+
			"again: %w", err)
	}
}

// is reports whether a result is of the set that was handed over.
func (p *posting) is(r *client.ActionResult) bool {
	var set []string
	for _, one := range r.Payloads {
		if one.Intent == client.Remove {
			set = append(set, one.ID)
		}
	}
	slices.Sort(set)
	return r.Started.After(p.after) && slices.Equal(set, p.set)
}

func (c *Client) read(ctx context.Context, device string) ([]client.ActionResult, error) {
	actions, err := c.graph.Actions(ctx, strings.ToLower(device))
	if err != nil {
		return nil, err
	}
	return resultsOf(actions)
}

// ActionResults returns what Intune reports of the actions on the device. After SyncPayloads of this
// client, older changeAssignments are left out: Intune may show the new one up to minutes later.
func (c *Client) ActionResults(ctx context.Context,
	device string) ([]client.ActionResult, error) {
	results, err := c.read(ctx, device)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	mine, posted := c.posted[device]
	c.mu.Unlock()
	return slices.DeleteFunc(results, func(r client.ActionResult) bool {
		return posted && r.Name == actionName && !r.Started.After(mine.after)
	}), nil
}
