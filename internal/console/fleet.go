package console

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fleetPage is what the page of the whole fleet shows.
type fleetPage struct {
	Removed []removedRow
	// how many are removed, and how many not yet; empty: there are more than this page shows
	Standing    string
	FirstPage   bool   // of what is removed
	NextRemoved string // address of its next page; empty: there is none
	Days        []choice
	Failures    *failuresView
	Silences    []choice
	Silent      silent
}

func (fleetPage) stream() string { return "/console/events" }

// choice is a link that shows another span of time.
type choice struct {
	Address, Text string
	Chosen        bool
}

type removedRow struct {
	Key, DeviceID, Device, Name, Type, By string
	Since, Restore                        moment
	State                                 mark
}

// silent are the devices not heard from for a while.
type silent struct {
	Rows    []deviceRow
	Total   int
	Address string // of the list of devices with the same filter
	Text    string
}

// fleetQuery is the state of the page, all of which is in its address.
type fleetQuery struct {
	days    int    // of failures
	silence string // by the values of silences
	after   string // $skiptoken of what is removed; empty: its first page
}

const (
	removedPerPage = 50
	silentShown    = 10
)

var failureDays = []int{1, 7, 30}

func readFleetQuery(values url.Values) fleetQuery {
	q := fleetQuery{days: 7, silence: "7d", after: values.Get("after")}
	for _, days := range failureDays {
		if values.Get("days") == strconv.Itoa(days) {
			q.days = days
		}
	}
	for _, s := range silences {
		if s.age > 0 && values.Get("silent") == s.Value {
			q.silence = s.Value
		}
	}
	return q
}

func (q fleetQuery) address(part string) string {
	values := url.Values{"days": {strconv.Itoa(q.days)}, "silent": {q.silence}}
	if q.after != "" {
		values.Set("after", q.after)
	}
	return "/console/fleet?" + values.Encode() + "#" + part
}

// fleet shows what is removed anywhere, what failed, and who is silent.
func (v *visit) fleet() error {
	q := readFleetQuery(v.r.URL.Query())
	p := fleetPage{FirstPage: q.after == ""}
	if err := v.removedAnywhere(q, &p); err != nil {
		return err
	}
	for _, days := range failureDays {
		other := q
		other.days = days
		p.Days = append(p.Days, choice{other.address("failures"), plural(days, "day"),
			days == q.days})
	}
	var err error
	if p.Failures, err = v.failuresView(q.days); err != nil {
		return err
	}
	for _, s := range silences {
		if s.age == 0 {
			continue // these were never heard from at all
		}
		other := q
		other.silence = s.Value
		p.Silences = append(p.Silences, choice{other.address("silent"),
			plural(int(s.age/(24*time.Hour)), "day"), s.Value == q.silence})
	}
	if p.Silent, err = v.silent(q.silence); err != nil {
		return err
	}
	return v.render("fleet", "Fleet", p)
}

// removedAnywhere reads one page of what is held off any device.
func (v *visit) removedAnywhere(q fleetQuery, p *fleetPage) error {
	options := url.Values{"$top": {strconv.Itoa(removedPerPage)}}
	if q.after != "" {
		options.Set("$skiptoken", q.after)
	}
	var list struct {
		Value []struct {
			DeviceID  string    `json:"deviceId"`
			Device    string    `json:"deviceName"`
			ID        string    `json:"payloadId"`
			Type      string    `json:"payloadType"`
			Name      string    `json:"displayName"`
			SubType   string    `json:"subType"`
			RemovedAt time.Time `json:"removedDateTime"`
			RemovedBy string    `json:"removedBy"`
			RestoreAt time.Time `json:"restoreDateTime"`
		}
		Next string `json:"@odata.nextLink"`
	}
	if err := v.get("/api/removed", options, &list); err != nil {
		return err
	}
	for _, r := range list.Value {
		p.Removed = append(p.Removed, removedRow{Key: removedKey(r.DeviceID, r.ID),
			DeviceID: r.DeviceID, Device: cmp.Or(r.Device, r.DeviceID),
			Name: cmp.Or(r.Name, r.ID), Type: itemType(r.Type, r.SubType), By: r.RemovedBy,
			Since: v.moment(r.RemovedAt), Restore: v.moment(r.RestoreAt)})
	}
	if q.after = skipToken(list.Next); q.after != "" {
		p.NextRemoved = q.address("removed")
	}
	if err := v.standings(p.Removed); err != nil {
		return err
	}
	if p.FirstPage && p.NextRemoved == "" {
		p.Standing = standing(p.Removed)
	}
	return nil
}

// toBeRemoved is what a device is to be without, where its latest action does not tell how that
// stands.
var toBeRemoved = mark{"To be removed", "busy"}

// standings tells of each row how it stands, by the same result from which the list of devices
// counts.
func (v *visit) standings(rows []removedRow) error {
	var devices []string
	for _, r := range rows {
		devices = append(devices, quoted(r.DeviceID))
	}
	if len(devices) == 0 {
		return nil
	}
	devices = slices.Compact(slices.Sorted(slices.Values(devices)))
	var list struct{ Value []managedDevice }
	if err := v.get("/beta/deviceManagement/managedDevices",
		url.Values{"$select": {"id,deviceActionResults"},
			"$filter": {"id in (" + strings.Join(devices, ",") + ")"},
			"$top":    {strconv.Itoa(len(devices))}}, &list); err != nil {
		return err
	}
	held := make(map[string]mark)
	for i := range list.Value {
		if a := list.Value[i].latest(); a != nil {
			for _, r := range a.results() {
				held[removedKey(list.Value[i].ID, r.id())] = r.heldMark()
			}
		}
	}
	for i := range rows {
		rows[i].State = cmp.Or(held[rows[i].Key], toBeRemoved)
	}
	return nil
}

func removedKey(device, payload string) string { return device + " " + payload }

// standing counts rows by their states.
func standing(rows []removedRow) string {
	counts := make(map[mark]int)
	for _, r := range rows {
		counts[r.State]++
	}
	var parts []string
	for _, m := range []mark{removed, removing, toBeRemoved, failed} {
		if n := counts[m]; n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+heldWords[m])
		}
	}
	return strings.Join(parts, ", ")
}

var heldWords = map[mark]string{removed: "removed", removing: "being removed",
	toBeRemoved: "to be removed", failed: "in error"}

// silent finds the devices not heard from for one of silences.
func (v *visit) silent(silence string) (s silent, err error) {
	q := devicesQuery{Silence: silence, Sort: "sync", total: -1}
	options := q.options(v.config.Now())
	options.Set("$top", strconv.Itoa(silentShown))
	var list struct {
		Value []managedDevice
		Count int `json:"@odata.count"`
	}
	if err := v.get("/beta/deviceManagement/managedDevices", options, &list); err != nil {
		return s, err
	}
	s.Total, s.Address = list.Count, q.address()
	for i := range list.Value {
		s.Rows = append(s.Rows, v.deviceRow(&list.Value[i]))
	}
	for _, one := range silences {
		if one.Value == silence {
			s.Text = plural(int(one.age/(24*time.Hour)), "day")
		}
	}
	return s, nil
}
