package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	devicesPerPage = 50
	trailLimit     = 20 // former pages that the address remembers
)

// platforms are what devices of this server may run.
func (c *console) platforms() []string {
	names := make([]string, len(c.kinds))
	for i, kind := range c.kinds {
		names[i] = string(kind.Platform)
	}
	return names
}

// silences are the choices of the filter by last sync.
var silences = []struct {
	Value, Text string
	age         time.Duration
}{
	{"1d", "More than a day ago", 24 * time.Hour},
	{"7d", "More than a week ago", 7 * 24 * time.Hour},
	{"30d", "More than 30 days ago", 30 * 24 * time.Hour},
	{"never", "Never", 0},
}

// orders are the columns by which devices can be sorted, by the values of the address.
var orders = map[string]string{"": "deviceName asc", "-name": "deviceName desc",
	"sync": "lastSyncDateTime asc", "-sync": "lastSyncDateTime desc"}

// managedDevice is a device as the API tells it.
type managedDevice struct {
	ID             string         `json:"id"`
	Name           string         `json:"deviceName"`
	Platform       string         `json:"operatingSystem"`
	OSVersion      string         `json:"osVersion"`
	Manufacturer   string         `json:"manufacturer"`
	Model          string         `json:"model"`
	Serial         string         `json:"serialNumber"`
	Supervised     bool           `json:"isSupervised"`
	Owner          string         `json:"managedDeviceOwnerType"`
	EnrollmentType string         `json:"deviceEnrollmentType"`
	Management     string         `json:"managementState"`
	Enrolled       time.Time      `json:"enrolledDateTime"`
	LastSync       time.Time      `json:"lastSyncDateTime"`
	Tags           []string       `json:"roleScopeTagIds"`
	Actions        []actionResult `json:"deviceActionResults"`

	properties map[string]any // all that was asked for
}

func (d *managedDevice) title() string {
	if d.Name != "" {
		return d.Name
	}
	return d.ID
}

// latest is the action that was started last; nil: there was none.
func (d *managedDevice) latest() *actionResult {
	if len(d.Actions) == 0 {
		return nil
	}
	latest := slices.MaxFunc(d.Actions, func(a, b actionResult) int {
		return a.Started.Compare(b.Started)
	})
	return &latest
}

// devicesPage is what the list of devices shows.
type devicesPage struct {
	Query            devicesQuery
	Platforms        []string
	States, Silences any
	Rows             []deviceRow
	Total            int // devices that the filter finds; -1: not known
	First, Last      int // places of the rows in the whole list
	Previous, Next   string
	Sorts            map[string]sorting
}

func (devicesPage) stream() string { return "/console/events" }

type deviceRow struct {
	ID, Name, Platform, OSVersion, Model, Serial string
	LastSync                                     moment
	Action                                       *mark // nil: there was none
	// payloads that are seen to be off, and those on the way
	Removed, Removing int
}

// devicesQuery is the state of the page, all of which is in its address.
type devicesQuery struct {
	Search, Platform, State, Silence, Sort string
	// $skiptokens of the pages behind the first, up to this one
	trail   []string
	skipped int // pages before those of the trail
	total   int // as the first page counted; -1: not known
}

func readDevicesQuery(values url.Values) devicesQuery {
	q := devicesQuery{Search: strings.TrimSpace(values.Get("q")), Platform: values.Get("platform"),
		State:   values.Get("state"),
		Silence: values.Get("sync"), Sort: values.Get("sort"), trail: values["page"], total: -1}
	if n, err := strconv.Atoi(values.Get("total")); err == nil && n >= 0 && len(q.trail) > 0 {
		q.total = n
	}
	if n, err := strconv.Atoi(values.Get("skipped")); err == nil && n > 0 && len(q.trail) > 0 {
		q.skipped = min(n, 1<<30)
	}
	return q
}

// address is that of the page in this state.
func (q devicesQuery) address() string {
	values := url.Values{}
	for name, value := range map[string]string{"q": q.Search, "platform": q.Platform,
		"state": q.State, "sync": q.Silence, "sort": q.Sort} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(q.trail) > 0 {
		values["page"] = q.trail
		if q.total >= 0 {
			values.Set("total", strconv.Itoa(q.total))
		}
		if q.skipped > 0 {
			values.Set("skipped", strconv.Itoa(q.skipped))
		}
	}
	if len(values) == 0 {
		return "/console/"
	}
	return "/console/?" + values.Encode()
}

// Filtered reports whether anything limits the list.
func (q devicesQuery) Filtered() bool { return q.Search+q.Platform+q.State+q.Silence != "" }

// options are what the API is asked.
func (q devicesQuery) options(now time.Time) url.Values {
	options := url.Values{
		"$select":  {"id,deviceName,operatingSystem,osVersion,model,serialNumber,lastSyncDateTime,deviceActionResults"},
		"$top":     {strconv.Itoa(devicesPerPage)},
		"$orderby": {orders[q.Sort]},
	}
	if orders[q.Sort] == "" {
		options.Set("$orderby", orders[""])
	}
	var filter []string
	if q.Platform != "" {
		filter = append(filter, "operatingSystem eq "+quoted(q.Platform))
	}
	if q.State != "" {
		filter = append(filter, "deviceActionResults/any(a:a/actionState eq "+quoted(q.State)+")")
	}
	for _, s := range silences {
		switch {
		case s.Value != q.Silence:
		case s.age == 0:
			filter = append(filter, "lastSyncDateTime eq null")
		default:
			filter = append(filter,
				"lastSyncDateTime lt "+now.Add(-s.age).UTC().Format(time.RFC3339))
		}
	}
	if len(filter) > 0 {
		options.Set("$filter", strings.Join(filter, " and "))
	}
	if q.Search != "" {
		options.Set("$search", `"`+q.Search+`"`) // the API takes the quotes off, and no more
	}
	if len(q.trail) > 0 {
		options.Set("$skiptoken", q.trail[len(q.trail)-1])
	}
	if q.total < 0 {
		options.Set("$count", "true")
	}
	return options
}

// quoted is a string of an OData filter.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// devices lists devices.
func (v *visit) devices() error {
	q := readDevicesQuery(v.r.URL.Query())
	var list struct {
		Value []managedDevice
		Count *int   `json:"@odata.count"`
		Next  string `json:"@odata.nextLink"`
	}
	if err := v.get("/beta/deviceManagement/managedDevices", q.options(v.config.Now()),
		&list); err != nil {
		return err
	}
	if list.Count != nil {
		q.total = *list.Count
	}
	p := devicesPage{Query: q, Platforms: v.platforms(), States: actionStates, Silences: silences,
		Total: q.total,
		First: (q.skipped+len(q.trail))*devicesPerPage + 1, Sorts: q.sorts()}
	p.Last = p.First + len(list.Value) - 1
	for i := range list.Value {
		p.Rows = append(p.Rows, v.deviceRow(&list.Value[i]))
	}
	p.Previous, p.Next = q.neighbours(skipToken(list.Next))
	return v.render("devices", "Devices", p)
}

func (v *visit) deviceRow(d *managedDevice) deviceRow {
	row := deviceRow{ID: d.ID, Name: d.title(), Platform: d.Platform, OSVersion: d.OSVersion,
		Model: d.Model, Serial: d.Serial,
		LastSync: v.moment(d.LastSync)}
	if a := d.latest(); a != nil {
		state := actionState(a.State)
		row.Action = &state
		for _, r := range a.results() {
			switch r.heldMark() {
			case removed:
				row.Removed++
			case removing:
				row.Removing++
			}
		}
	}
	return row
}

// neighbours are the addresses of the pages before and behind; empty: there is none.
func (q devicesQuery) neighbours(token string) (previous, next string) {
	if len(q.trail) > 0 {
		back := q
		if back.trail = q.trail[:len(q.trail)-1]; len(back.trail) > 0 || q.skipped == 0 {
			previous = back.address()
		}
	}
	if token != "" {
		on := q
		on.trail = append(slices.Clone(q.trail), token)
		if n := len(on.trail) - trailLimit; n > 0 {
			on.trail, on.skipped = on.trail[n:], on.skipped+n
		}
		next = on.address()
	}
	return previous, next
}

// sorting is a link in the head of a column.
type sorting struct {
	Address string
	Order   string // as aria-sort has it; empty: the list is not in the order of this column
}

func (q devicesQuery) sorts() map[string]sorting {
	to := func(sort, order string) sorting {
		q := q
		q.Sort, q.trail, q.skipped, q.total = sort, nil, 0, -1
		return sorting{q.address(), order}
	}
	sorts := map[string]sorting{"name": to("", ""), "sync": to("-sync", "")}
	switch q.Sort {
	case "-name":
		sorts["name"] = to("", "descending")
	case "sync":
		sorts["sync"] = to("-sync", "ascending")
	case "-sync":
		sorts["sync"] = to("sync", "descending")
	default:
		sorts["name"] = to("-name", "ascending")
	}
	return sorts
}
