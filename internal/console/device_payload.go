package console

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// devicePayload is a policy or app of a device as GET /api/devices/{id}/payloads tells it.
type devicePayload struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	Name      string    `json:"displayName"`
	SubType   string    `json:"subType"`
	Assigned  bool      `json:"assigned"`
	Removed   bool      `json:"removed"` // the latest set holds it off the device
	RemovedAt time.Time `json:"removedDateTime"`
	RemovedBy string    `json:"removedBy"`
	RestoreAt time.Time `json:"restoreDateTime"` // zero: not by itself
	Presence  string    `json:"presence"`
	Work      string    `json:"work"`
	Error     *struct {
		Code   int64  `json:"code"`
		Source string `json:"source"`
		Detail string `json:"detail"`
		words
	} `json:"error"`
}

func (p *devicePayload) name() string { return cmp.Or(p.Name, p.ID) }

// payloads reads what is assigned to a device or held off it, by name.
func (v *visit) payloads(device string) ([]devicePayload, error) {
	var list struct{ Value []devicePayload }
	if err := v.get(ownDevicePath(device)+"/payloads", nil, &list); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Value, func(a, b devicePayload) int {
		return strings.Compare(strings.ToLower(a.name()), strings.ToLower(b.name()))
	})
	return list.Value, nil
}

// state is how the payload stands on the device now.
func (p *devicePayload) state() mark {
	working := p.Work == "queued" || p.Work == "sent" || p.Work == "verifying"
	switch {
	case p.Work == "error":
		return failed
	case working && (p.Removed || !p.Assigned):
		return removing
	case working:
		return mark{"Being installed", "busy"}
	case p.Removed && p.Presence == "absent":
		return removed
	case p.Removed:
		return toBeRemoved
	case p.Presence == "present":
		return mark{"On the device", "good"}
	case p.Presence == "absent":
		return mark{"Not on the device", "idle"}
	default:
		return mark{"Not known yet", "idle"}
	}
}

// nextRestore is when the first of what is removed comes back by itself; zero: nothing does.
func nextRestore(list []devicePayload) time.Time {
	var next time.Time
	for _, p := range list {
		if p.Removed && !p.RestoreAt.IsZero() && (next.IsZero() || p.RestoreAt.Before(next)) {
			next = p.RestoreAt
		}
	}
	return next
}
