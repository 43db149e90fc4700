package odata

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxPageSize reads `Prefer: odata.maxpagesize` (OData protocol 4.0, section 8.2.8.5): the size
// that the server can give; 0: there is none. As of any preference, what makes no sense of it is
// ignored.
func maxPageSize(header http.Header) int {
	for _, line := range header.Values("Prefer") {
		for preference := range strings.SplitSeq(line, ",") {
			preference, _, _ = strings.Cut(preference, ";")
			name, value, _ := strings.Cut(preference, "=")
			name = strings.ToLower(strings.TrimSpace(name))
			if name != "odata.maxpagesize" && name != "maxpagesize" {
				continue
			}
			n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 32)
			if err != nil || n == 0 {
				return 0
			}
			return int(min(n, largestPage))
		}
	}
	return 0
}

// preferredPageSize is how many elements the page has at most: $top, or less if the caller prefers
// so.
func (r *Request) preferredPageSize() (int, error) {
	size, err := PageSize(r.Options)
	if preferred := maxPageSize(r.HTTP.Header); err == nil && preferred > 0 {
		if preferred < size || !r.Options.Has(OptionTop) {
			size = preferred
		}
		r.Writer.Header().Add("Preference-Applied", "odata.maxpagesize="+strconv.Itoa(preferred))
	}
	return size, err
}

// PageSize reads $top. A page has at most largestPage elements, whatever is asked for.
func PageSize(options url.Values) (int, error) {
	if !options.Has(OptionTop) {
		return defaultPage, nil
	}
	n, err := strconv.ParseUint(options.Get(OptionTop), 10, 32)
	if err != nil {
		return 0, BadRequest(OptionTop,
			"Query option '$top' must be a number from 0 on; a page has at most %d elements.",
			largestPage)
	}
	return int(min(n, largestPage)), nil
}
