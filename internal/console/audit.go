package console

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	auditEventsPath  = "/beta/deviceManagement/auditEvents"
	remoteAuditsPath = "/beta/deviceManagement/remoteActionAudits"
	auditPerPage     = 50
)

// auditEvent is an entry of the record of who did what as the API tells it.
type auditEvent struct {
	ID       string    `json:"id"`
	Activity string    `json:"activityType"`
	At       time.Time `json:"activityDateTime"`
	Kind     string    `json:"activityOperationType"`
	Result   string    `json:"activityResult"`
	Request  string    `json:"correlationId"`
	Sequence int64     `json:"sequence"`
	Status   int       `json:"statusCode"`
	Reason   string    `json:"failureReason"`
	Skipped  int       `json:"skippedCount"`
	Hash     string    `json:"hash"`
	Actor    struct {
		ID          string   `json:"userId"`
		Name        string   `json:"userPrincipalName"`
		Application string   `json:"applicationDisplayName"`
		Address     string   `json:"ipAddress"`
		Roles       []string `json:"userPermissions"`
	} `json:"actor"`
	Objects []auditObject `json:"resources"`
}

// auditObject is a thing that an entry is about.
type auditObject struct {
	ID      string        `json:"resourceId"`
	Name    string        `json:"displayName"`
	Kind    string        `json:"auditResourceType"`
	Changes []auditChange `json:"modifiedProperties"`
	Noun    string        `json:"-"` // what it is, in words
}

// auditChange is what became of a property. Nil: there was none, or there is none any more.
type auditChange struct {
	Name   string  `json:"displayName"`
	Before *string `json:"oldValue"`
	After  *string `json:"newValue"`
}

// Title is what the thing is called, or else what it is.
func (o auditObject) Title() string { return cmp.Or(o.Name, o.Noun) }

// who did it, as people read it.
func (e *auditEvent) who() string {
	switch {
	case e.Actor.Name != "" || e.Actor.Application != "":
		return cmp.Or(e.Actor.Name, e.Actor.Application)
	case e.Actor.ID != "":
		return e.Actor.ID
	case e.Actor.Address != "":
		return "Nobody known"
	default:
		return "This server's command line"
	}
}

// auditQuery is the state of the page, all of which is in its address.
type auditQuery struct {
	From, To       string // as the fields have them, UTC
	Kind, Result   string
	Activity, Who  string // Who is the caller's id
	page           string
	from, toBefore time.Time
}

// auditTime is how browsers send the fields of times.
const auditTime = "2006-01-02T15:04"

// readAuditQuery reads the address. A time that is none is an error that the visitor is told.
func readAuditQuery(values url.Values) (q auditQuery, err error) {
	q = auditQuery{From: values.Get("from"), To: values.Get("to"), Kind: values.Get("kind"),
		Result:   values.Get("result"),
		Activity: strings.TrimSpace(values.Get("activity")), Who: values.Get("who"),
		page: values.Get("page")}
	if q.From != "" {
		if q.from, err = time.Parse(auditTime, q.From); err != nil {
			return q,
				badRequest("The time from which to list is none. Give it as 2026-01-31T09:30.")
		}
	}
	if q.To != "" {
		if q.toBefore, err = time.Parse(auditTime, q.To); err != nil {
			return q,
				badRequest("The time up to which to list is none. Give it as 2026-01-31T09:30.")
		}
		q.toBefore = q.toBefore.Add(time.Minute)
	}
	return q, nil
}

// Filtered reports whether anything limits the list.
func (q auditQuery) Filtered() bool {
	return q.From+q.To+q.Kind+q.Result+q.Activity+q.Who != ""
}

// First reports that it is the first page.
func (q auditQuery) First() bool { return q.page == "" }

// address is that of the page in this state, from another beginning.
func (q auditQuery) address(page string) string {
	values := url.Values{}
	for name, value := range map[string]string{"from": q.From, "to": q.To, "kind": q.Kind,
		"result": q.Result, "activity": q.Activity, "who": q.Who,
		"page": page} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return "/console/audit"
	}
	return "/console/audit?" + values.Encode()
}

// Newest is the address of the first page.
func (q auditQuery) Newest() string { return q.address("") }

// options are what the API is asked.
func (q auditQuery) options() url.Values {
	options := url.Values{"$top": {strconv.Itoa(auditPerPage)}}
	var filter []string
	for _, one := range []struct{ property, value string }{{"activityOperationType", q.Kind},
		{"activityResult", q.Result},
		{"activityType", q.Activity}, {"actor/userId", q.Who}} {
		if one.value != "" {
			filter = append(filter, one.property+" eq "+quoted(one.value))
		}
	}
	if !q.from.IsZero() {
		filter = append(filter, "activityDateTime ge "+q.from.Format(time.RFC3339))
	}
	if !q.toBefore.IsZero() {
		filter = append(filter, "activityDateTime lt "+q.toBefore.Format(time.RFC3339))
	}
	if len(filter) > 0 {
		options.Set("$filter", strings.Join(filter, " and "))
	}
	if q.page != "" {
		options.Set("$skiptoken", q.page)
	}
	return options
}

// auditPage is what the record shows.
type auditPage struct {
	Query          auditQuery
	Kinds, Results []option
	Message        string // why nothing is listed; empty: it is
	Rows           []auditRow
	Next           string
}

type auditRow struct {
	ID, What, Activity, Who, On string
	At                          moment
	Result                      mark
	Status                      int
}

// auditPage lists the record, the newest entries first.
func (v *visit) auditPage() error {
	q, err := readAuditQuery(v.r.URL.Query())
	p := auditPage{Query: q, Kinds: auditKinds, Results: auditResults}
	var list struct {
		Value []auditEvent
		Next  string `json:"@odata.nextLink"`
	}
	if err == nil {
		err = v.get(auditEventsPath, q.options(), &list)
	}
	if status, message, ok := sentence(err); ok {
		p.Message = message
		return v.renderStatus(status, "audit", "Audit", p)
	}
	if err != nil {
		return err
	}
	for i := range list.Value {
		p.Rows = append(p.Rows, v.auditRow(&list.Value[i]))
	}
	if token := skipToken(list.Next); token != "" {
		p.Next = q.address(token)
	}
	return v.render("audit", "Audit", p)
}

// auditRow is an entry as the list shows it. What its objects are is put into words in the entry
// itself.
func (v *visit) auditRow(e *auditEvent) auditRow {
	words := auditWords{v.config.Nouns}
	for i := range e.Objects {
		e.Objects[i].Noun = words.noun(e.Objects[i].Kind)
	}
	row := auditRow{ID: e.ID, What: words.activity(e.Activity), Activity: e.Activity, Who: e.who(),
		At:     v.moment(e.At),
		Result: auditResult(e.Result), Status: e.Status}
	if len(e.Objects) > 0 {
		row.On = e.Objects[0].Title()
		if n := len(e.Objects) - 1; n > 0 {
			row.On += " and " + strconv.Itoa(n) + " more"
		}
	}
	return row
}

// auditEntryPage is what one entry shows.
type auditEntryPage struct {
	auditRow
	Entry   auditEvent
	Kind    string
	SameAct string // address of the list of the same activity
	SameWho string // of what the same caller did; empty: they are not known
}

// auditEntry shows one entry.
func (v *visit) auditEntry() error {
	var e auditEvent
	if err := v.get(auditEventsPath+"/"+url.PathEscape(v.r.PathValue("id")), nil, &e); err != nil {
		return err
	}
	p := auditEntryPage{auditRow: v.auditRow(&e), Entry: e, Kind: textOf(auditKinds, e.Kind),
		SameAct: auditQuery{Activity: e.Activity}.Newest()}
	if e.Actor.ID != "" {
		p.SameWho = auditQuery{Who: e.Actor.ID}.Newest()
	}
	return v.render("audit_entry", p.What, p)
}
