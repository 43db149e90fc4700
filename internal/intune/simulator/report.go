package simulator

import (
	"net/http"
	"slices"
	"strings"
)

// The base types of policies in reports.
const (
	baseConfiguration = "Microsoft.Management.Services.Api.DeviceConfiguration"
	basePolicy        = "DeviceManagementConfigurationPolicy"
)

// reportColumns are the columns of the report, with their types.
var reportColumns = map[string]string{
	"IntuneDeviceId": "String", "PolicyBaseTypeName": "String", "PolicyId": "String",
	"PolicyName": "String", "PolicyStatus": "Int32", "PspdpuLastModifiedTimeUtc": "DateTime",
	"UnifiedPolicyType": "String", "UnifiedPolicyType_loc": "String", "UPN": "String",
	"UserId": "String",
}

// reportRequest is the body of a report action.
type reportRequest struct {
	Name      *string  `json:"name"`
	Select    []string `json:"select"`
	Search    *string  `json:"search"`
	GroupBy   []string `json:"groupBy"`
	OrderBy   []string `json:"orderBy"`
	Skip      *int     `json:"skip"`
	Top       *int     `json:"top"`
	SessionID *string  `json:"sessionId"`
	Filter    *string  `json:"filter"`
}

// reportAnswer is what a report action answers.
type reportAnswer struct {
	Total     int            `json:"TotalRowCount"`
	Schema    []reportColumn `json:"Schema"`
	Values    [][]any        `json:"Values"`
	SessionID string         `json:"SessionId"`
}

type reportColumn struct {
	Column string `json:"Column"`
	Type   string `json:"PropertyType"`
}

// maxReportRows is the most rows of one answer.
const maxReportRows = 500

// servePolicyReport serves reports/getConfigurationPoliciesReportForDevice.
func servePolicyReport(c *call) (answer, *refusal) {
	var body reportRequest
	if err := readObject(c.in.body, &body); err != nil {
		return answer{}, badRequest("The body of the report is not valid.")
	}
	columns, filter, refused := c.reportOf(body)
	if refused != nil {
		return answer{}, refused
	}
	rows, refused := c.policyRows(filter)
	if refused != nil {
		return answer{}, refused
	}
	skip, top := 0, 50
	if body.Skip != nil {
		skip = max(0, *body.Skip)
	}
	if body.Top != nil && *body.Top > 0 {
		top = min(*body.Top, maxReportRows)
	}
	out := reportAnswer{Total: len(rows), Schema: []reportColumn{}, Values: [][]any{}}
	for _, name := range columns {
		out.Schema = append(out.Schema, reportColumn{name, reportColumns[name]})
	}
	for _, row := range rows[min(skip, len(rows)):min(skip+top, len(rows))] {
		var values []any
		for _, name := range columns {
			values = append(values, row[name])
		}
		out.Values = append(out.Values, values)
	}
	a := answer{status: http.StatusOK, body: appendJSON(nil, out),
		header: http.Header{"Content-Type": {"application/json"}}}
	if c.site.faults.OctetStream {
		a.header.Set("Content-Type", "application/octet-stream")
	}
	return a, nil
}

// reportOf reads what a report is to have.
func (c *call) reportOf(body reportRequest) (columns []string, f *filter, refused *refusal) {
	columns = slices.Clone(body.Select)
	for _, name := range columns {
		if reportColumns[name] == "" {
			return nil, nil, badRequest("The report has no column '%s'.", name)
		}
	}
	if len(columns) == 0 {
		for name := range reportColumns {
			columns = append(columns, name)
		}
		slices.Sort(columns)
	}
	if c.site.faults.PermuteColumns {
		c.site.random.Shuffle(len(columns), func(i, j int) {
			columns[i], columns[j] = columns[j], columns[i]
		})
	}
	if body.Filter != nil {
		var ok bool
		if f, ok = parseFilter(*body.Filter); !ok {
			return nil, nil, badRequest("The filter of the report is not valid.")
		}
	}
	if !f.every(func(field, _ string) bool { return reportColumns[field] != "" }) {
		return nil, nil, badRequest("The filter of the report names no column of it.")
	}
	return columns, f, nil
}

// deviceOf finds the one device that a report's filter names.
func deviceOf(f *filter) string {
	switch {
	case f == nil:
		return ""
	case f.operator == "eq" && f.field == "IntuneDeviceId":
		id, _ := f.value.(string)
		return id
	case f.operator == "and":
		if id := deviceOf(f.left); id != "" {
			return id
		}
		return deviceOf(f.right)
	}
	return ""
}

func (c *call) policyRows(f *filter) ([]map[string]any, *refusal) {
	id := deviceOf(f)
	if id == "" {
		return nil, badRequest("The filter of the report must name a device: IntuneDeviceId eq.")
	}
	d := c.tenant.byID[strings.ToLower(id)]
	if d == nil || !c.caller.user.sees(d) {
		return nil, nil // a report of nothing
	}
	var rows []map[string]any
	for _, p := range d.reported(c.now).policies {
		base := baseConfiguration
		switch p.item.Type {
		case ConfigurationPolicy:
			base = basePolicy
		case AppConfiguration:
			continue
		}
		kind := strings.ToUpper(p.item.subtype[:1]) + p.item.subtype[1:]
		row := map[string]any{"IntuneDeviceId": d.ID, "PolicyBaseTypeName": base,
			"PolicyId": p.item.ID, "PolicyName": p.item.name, "PolicyStatus": 2,
			"PspdpuLastModifiedTimeUtc": p.at.Format("2006-01-02T15:04:05"),
			"UnifiedPolicyType":         kind, "UnifiedPolicyType_loc": kind,
			"UPN": "System account", "UserId": systemAccount}
		if p.user != nil {
			row["UPN"], row["UserId"] = p.user.UPN, p.user.ID
		}
		if f.matches(func(name string) (any, bool) { v, ok := row[name]; return v, ok }) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}
