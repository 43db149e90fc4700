package console

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// failures is what GET /api/failures tells.
type failures struct {
	Bucket   string            `json:"bucket"` // hour or day
	Start    time.Time         `json:"startDateTime"`
	Value    []countedFailures `json:"value"`
	Recent   []failureReport   `json:"recent"`
	Complete bool              `json:"complete"`
}

// countedFailures are those of one code within an hour or a day.
type countedFailures struct {
	At time.Time `json:"dateTime"`
	failureCode
	Count int `json:"count"`
	words
}

// byDevice is whose a code is if it is not the server's own.
const byDevice = "device"

// failureCode is an error's code and whose it is.
type failureCode struct {
	Code   int64  `json:"errorCode"`
	Source string `json:"errorSource"`
}

func (c failureCode) name() string {
	if c.Source == byDevice && c.Code < 0 {
		return fmt.Sprintf("Code %d of devices", c.Code)
	}
	return fmt.Sprintf("Code %d", c.Code)
}

type failureReport struct {
	At       time.Time `json:"dateTime"`
	DeviceID string    `json:"deviceId"`
	Device   string    `json:"deviceName"`
	Payload  string    `json:"payloadId"`
	Name     string    `json:"displayName"`
	failureCode
	Detail string `json:"detail"`
	words
}

// failuresView is what the page shows of it.
type failuresView struct {
	Plot     *plot // nil: nothing failed
	Total    int
	Recent   []failureRow
	Complete bool // it is not only the latest part
}

type failureRow struct {
	Key, DeviceID, Device, Name string
	At                          moment
	Explanation                 *explanation
}

const (
	plottedCodes = 6 // if there are more, the last stands for all others
	recentShown  = 10
)

func (v *visit) failuresView(days int) (*failuresView, error) {
	var told failures
	if err := v.get("/api/failures", url.Values{"days": {strconv.Itoa(days)}}, &told); err != nil {
		return nil, err
	}
	view := &failuresView{Complete: told.Complete}
	for _, r := range told.Recent[:min(recentShown, len(told.Recent))] {
		view.Recent = append(view.Recent, failureRow{Key: r.At.Format(time.RFC3339Nano) +
			r.DeviceID + r.Payload, DeviceID: r.DeviceID,
			Device: cmp.Or(r.Device, r.DeviceID), Name: cmp.Or(r.Name, r.Payload),
			At: v.moment(r.At), Explanation: explain(r.Code, r.Detail, r.words)})
	}
	for _, one := range told.Value {
		view.Total += one.Count
	}
	if view.Total > 0 {
		view.Plot = told.plot(v.config.Now().UTC())
		view.Plot.Summary = fmt.Sprintf("%s in %s, most often %s.", plural(view.Total, "failure"),
			plural(days, "day"), view.Plot.Series[0].Name)
	}
	return view, nil
}

// plot draws the counts, the most frequent codes first.
func (f *failures) plot(now time.Time) *plot {
	width, layout, step, title := 24*time.Hour, "2 Jan", 1, "Failures a day, by error code (UTC)"
	if f.Bucket == "hour" {
		width, layout, step, title = time.Hour, "15:04", 3, "Failures an hour, by error code (UTC)"
	}
	var buckets []string
	for at := f.Start.UTC(); !at.After(now); at = at.Add(width) {
		buckets = append(buckets, at.Format(layout))
	}
	if len(buckets) > 14 && f.Bucket == "day" {
		step = 5
	}
	totals := map[failureCode]int{}
	for _, one := range f.Value {
		totals[one.failureCode] += one.Count
	}
	codes := f.ranked(totals)
	series := make([]plotSeries, min(len(codes), plottedCodes))
	for i := range series {
		series[i] = plotSeries{Name: codes[i].name(), Meaning: f.meaning(codes[i]),
			counts: make([]int, len(buckets))}
		if i == plottedCodes-1 && len(codes) > plottedCodes {
			series[i].Name, series[i].Meaning = "Other codes", plural(len(codes)-i, "code")
		}
	}
	for _, one := range f.Value {
		at := int(one.At.Sub(f.Start) / width)
		if at >= 0 && at < len(buckets) {
			series[min(slices.Index(codes, one.failureCode), len(series)-1)].counts[at] += one.Count
		}
	}
	return newPlot(title, buckets, series, step)
}

// ranked are the codes, the most frequent first.
func (f *failures) ranked(totals map[failureCode]int) []failureCode {
	codes := make([]failureCode, 0, len(totals))
	for code := range totals {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b failureCode) int {
		return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Source, b.Source))
	})
	return codes
}

// meaning says what a code means, with the help of the latest failure that had it.
func (f *failures) meaning(code failureCode) string {
	if i := slices.IndexFunc(f.Recent,
		func(r failureReport) bool { return r.failureCode == code }); i >= 0 {
		return explain(code.Code, "", f.Recent[i].words).Meaning
	}
	i := slices.IndexFunc(f.Value, func(c countedFailures) bool { return c.failureCode == code })
	return explain(code.Code, "", f.Value[i].words).Meaning
}
