package console

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// What a visitor picks on a device's page, by the parameter `pick` of the review's address. In
// every case the review turns it into the whole set that is to be off the device, as the API wants
// it.
const (
	pickSet        = "set"        // `off` names all that is to be off
	pickRestore    = "restore"    // `item` names what is to come back; what else is off stays off
	pickEverything = "everything" // everything is to come back
)

// reviewPage is what will happen, before it does.
type reviewPage struct {
	ID, Name     string
	NotSupported string // why the device cannot do it; empty: it can
	Groups       []reviewGroup
	Refused      []refusedItem
	Certain      []riskyItem // what will cut the device off, and its fellow what may
	Possible     []riskyItem
	Set          []string // ids that will be off
	Changes      bool     // something is removed or restored
	Default      string   // after how long the server restores by itself
	// when what is off already comes back; unknown: there is no such time to keep
	Keep       moment
	KeepsNever bool // what is off already does not come back by itself
}

type reviewGroup struct {
	Title, Text, Class string
	Items              []reviewItem
}

type reviewItem struct {
	ID       string `json:"itemId"`
	Type     string `json:"itemType"`
	Name     string `json:"displayName"`
	SubType  string `json:"subType"`
	Warnings []struct {
		Certain bool   `json:"certain"`
		Message string `json:"message"`
	} `json:"warnings"`
}

// Title is the item's name.
func (i reviewItem) Title() string { return cmp.Or(i.Name, i.ID) }

// Kind is what the item is.
func (i reviewItem) Kind() string { return itemType(i.Type, i.SubType) }

type refusedItem struct {
	ID      string `json:"itemId"`
	Message string `json:"message"`
	Name    string `json:"-"`
}

type riskyItem struct{ Name, Message string }

// preview is what the API foresees of a set.
type preview struct {
	NotSupported string        `json:"notSupported"`
	Remove       []reviewItem  `json:"remove"`
	Restore      []reviewItem  `json:"restore"`
	Unchanged    []reviewItem  `json:"unchanged"`
	Closed       []reviewItem  `json:"closed"`
	Install      []reviewItem  `json:"install"`
	Displace     []reviewItem  `json:"displace"`
	LeftAlone    []reviewItem  `json:"leftAlone"`
	Refused      []refusedItem `json:"refused"`
}

// assignmentItems is a set as the body of changeAssignments.
type assignmentItems struct {
	Items []assignmentItem `json:"deviceAssignmentItems"`
}

type assignmentItem struct {
	ID   string `json:"itemId"`
	Type string `json:"itemType"`
}

// setOf names payloads with their types. One that the device does not have is named all the same:
// the API says why it is refused.
func setOf(ids []string, payloads []devicePayload) assignmentItems {
	set := assignmentItems{Items: []assignmentItem{}}
	for _, id := range ids {
		item := assignmentItem{id, "deviceConfiguration"}
		if i := slices.IndexFunc(payloads,
			func(p devicePayload) bool { return p.ID == id }); i >= 0 {
			item.Type = payloads[i].Type
		}
		if !slices.Contains(set.Items, item) {
			set.Items = append(set.Items, item)
		}
	}
	return set
}

// picked is the set that is to be off the device, by what the visitor picked.
func picked(form url.Values, payloads []devicePayload) ([]string, error) {
	var off []string
	switch form.Get("pick") {
	case pickSet:
		return form["off"], nil
	case pickEverything:
		return nil, nil
	case pickRestore:
		if len(form["item"]) == 0 {
			return nil, badRequest("Nothing is ticked. Go back and tick what is to be restored.")
		}
		for _, p := range payloads {
			if p.Removed && !slices.Contains(form["item"], p.ID) {
				off = append(off, p.ID)
			}
		}
		return off, nil
	default:
		return nil, badRequest("This address says not what to review. Pick on the device's page.")
	}
}

// review shows what the API foresees.
func (v *visit) review() error {
	d, err := v.managedDevice("id,deviceName")
	if err != nil {
		return err
	}
	payloads, err := v.payloads(d.ID)
	if err != nil {
		return err
	}
	set, err := picked(v.r.URL.Query(), payloads)
	if err != nil {
		return err
	}
	var foreseen preview
	if err := v.post(devicePath(d.ID)+"/changeAssignments/preview", nil, setOf(set, payloads),
		&foreseen); err != nil {
		return err
	}
	p := reviewPage{ID: d.ID, Name: d.title(), NotSupported: foreseen.NotSupported,
		Refused: foreseen.Refused, Default: "never"}
	if v.config.RestoreAfter > 0 {
		p.Default = "after " + exactly(v.config.RestoreAfter)
	}
	p.fill(&foreseen, set, payloads)
	p.Keep, p.KeepsNever = v.keep(p.Set, payloads)
	return v.render("review", "Review changes to "+p.Name, p)
}

func (p *reviewPage) fill(foreseen *preview, set []string, payloads []devicePayload) {
	group := func(title, text, class string, items []reviewItem) {
		if len(items) > 0 {
			p.Groups = append(p.Groups, reviewGroup{title, text, class, items})
		}
	}
	group("Will be removed", "The device is asked to take these off.", "off", foreseen.Remove)
	group("Will be restored", "The device is asked to install these again.", "good",
		foreseen.Restore)
	group("Will be installed",
		"These have the identifier of what is removed, and come in its place.", "good",
		foreseen.Install)
	group("Will make room", "An older policy or app with the same identifier comes in their place.",
		"off", foreseen.Displace)
	group("Off already", "These stay off.", "idle", foreseen.Unchanged)
	group("Stay off for good",
		"These were removed, and are not assigned to the device any more: there is nothing to restore.", "idle", foreseen.Closed)
	group("Left alone", "Nothing happens to these.", "idle", foreseen.LeftAlone)
	p.Changes = len(foreseen.Remove)+len(foreseen.Restore)+len(foreseen.Closed) > 0
	for _, item := range slices.Concat(foreseen.Remove, foreseen.Displace) {
		for _, w := range item.Warnings {
			if w.Certain {
				p.Certain = append(p.Certain, riskyItem{item.Title(), w.Message})
			} else {
				p.Possible = append(p.Possible, riskyItem{item.Title(), w.Message})
			}
		}
	}
	for i := range p.Refused {
		r := &p.Refused[i]
		r.Name = r.ID
		if at := slices.IndexFunc(payloads,
			func(one devicePayload) bool { return one.ID == r.ID }); at >= 0 {
			r.Name = payloads[at].name()
		}
	}
	for _, id := range set {
		if !slices.ContainsFunc(p.Refused, func(r refusedItem) bool { return r.ID == id }) {
			p.Set = append(p.Set, id)
		}
	}
}

// TooMany reports that the set as a whole is refused.
func (p reviewPage) TooMany() bool {
	return slices.ContainsFunc(p.Refused, func(r refusedItem) bool { return r.ID == "" })
}

// Confirmable reports whether the set can be carried out: the device can, the set is not refused,
// and something happens or is held off longer.
func (p reviewPage) Confirmable() bool {
	return p.NotSupported == "" && !p.TooMany() && (p.Changes || len(p.Set) > 0)
}

// keep is when that part of a set which is off already comes back by itself.
func (v *visit) keep(set []string, payloads []devicePayload) (at moment, never bool) {
	var off []devicePayload
	for _, p := range payloads {
		if p.Removed && slices.Contains(set, p.ID) {
			off = append(off, p)
		}
	}
	next := nextRestore(off)
	return v.moment(next), len(off) > 0 && next.IsZero()
}

// The choices of when the server restores by itself, as the form sends them; others are durations.
const (
	restoreDefault = "default"
	restoreKeep    = "keep"
	restoreCustom  = "custom"
	restoreNever   = "0"
)

// customUnits are those of a time that the visitor types.
var customUnits = map[string]time.Duration{"minutes": time.Minute, "hours": time.Hour,
	"days": 24 * time.Hour}

// startAction runs what was reviewed.
func (v *visit) startAction() error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	id := v.r.PathValue("id")
	payloads, err := v.payloads(id)
	if err != nil {
		return err
	}
	set := v.r.PostForm["off"]
	after, err := v.restoreAfter(set, payloads)
	if err != nil {
		return err
	}
	header := http.Header{}
	if after != "" {
		header.Set("Restore-After", after)
	}
	if err := v.post(devicePath(id)+"/changeAssignments", header, setOf(set, payloads),
		nil); err != nil {
		return reworded(err)
	}
	v.redirect("/console/devices/" + url.PathEscape(id) + "?notice=started#monitor")
	return nil
}

// restoreAfter is the value of the API's header for what the form chose; empty: the server's
// default.
func (v *visit) restoreAfter(set []string, payloads []devicePayload) (string, error) {
	form := v.r.PostForm
	switch choice := form.Get("restore"); choice {
	case "", restoreDefault:
		return "", nil
	case restoreKeep:
		at, _ := v.keep(set, payloads)
		if !at.Known() {
			return restoreNever, nil
		}
		left := max(1, int64(math.Ceil(at.At.Sub(v.config.Now()).Seconds())))
		return strconv.FormatInt(left, 10), nil
	case restoreCustom:
		n, err := strconv.Atoi(form.Get("amount"))
		unit, ok := customUnits[form.Get("unit")]
		if err != nil || !ok || n < 1 || n > int(365*24*time.Hour/unit) {
			return "",
				badRequest("The time after which to restore is not valid: give a whole number, at most 365 days.")
		}
		return (time.Duration(n) * unit).String(), nil
	default:
		return choice, nil // the API refuses what is none
	}
}

// reworded adds to a refusal of a set what a visitor can do about it.
func reworded(err error) error {
	var answer *apiError
	if errors.As(err, &answer) && answer.Status == http.StatusBadRequest {
		return badRequest("Nothing was changed. The server refused: %s The device may have changed meanwhile: go back to its page and pick again.", answer.Message)
	}
	return err
}
