package graph

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxPageSize reads `Prefer: odata.maxpagesize` (OData protocol 4.0, section 8.2.8.5): the size that the server can give;
// 0: there is none. As of any preference, what makes no sense of it is ignored.
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

// pageSize is how many elements the page has at most: $top, or less if the caller prefers so.
func (c *call) pageSize() (int, error) {
	size, err := pageSize(c.options)
	if preferred := maxPageSize(c.r.Header); err == nil && preferred > 0 {
		if preferred < size || !c.options.Has(optionTop) {
			size = preferred
		}
		c.w.Header().Add("Preference-Applied", "odata.maxpagesize="+strconv.Itoa(preferred))
	}
	return size, err
}

// pageSize reads $top.
func pageSize(options url.Values) (int, error) {
	if !options.Has(optionTop) {
		return defaultPage, nil
	}
	n, err := strconv.ParseUint(options.Get(optionTop), 10, 32)
	if err != nil || n > largestPage {
		return 0, badRequest(optionTop, "Query option '$top' must be a number from 0 to %d.", largestPage)
	}
	return int(n), nil
}
