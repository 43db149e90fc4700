package odata

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The query options (OData 4.0 URL conventions).
const (
	OptionSelect    = "$select"
	OptionFilter    = "$filter"
	OptionOrderBy   = "$orderby"
	OptionExpand    = "$expand"
	OptionTop       = "$top"
	OptionSkip      = "$skip"
	OptionCount     = "$count"
	OptionSearch    = "$search"
	OptionSkipToken = "$skiptoken"
)

var (
	// ListOptions are the query options of lists in the order of ids.
	ListOptions = []string{OptionSelect, OptionTop, OptionSkipToken}
	// QueryOptions are those of lists that are compiled into a query.
	QueryOptions = []string{OptionSelect, OptionFilter, OptionSearch, OptionOrderBy, OptionTop,
		OptionSkip, OptionCount, OptionSkipToken}
	// ExpandOptions are those of such a list that can show what its things relate to.
	ExpandOptions = slices.Concat(QueryOptions, []string{OptionExpand})
	// CountOptions are those of the size of a list that is compiled into a query.
	CountOptions = []string{OptionFilter, OptionSearch}
)

// As in Graph, $top is the size of a page, not of the whole list.
const (
	defaultPage = 100
	largestPage = 1000
	largestSkip = 100_000
)

const searchLimit = 200

// searchText reads $search: one phrase, with or without its quotes.
func searchText(value string) (string, error) {
	text := strings.TrimSpace(value)
	if len(text) >= 2 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		text = text[1 : len(text)-1]
	}
	if text == "" || len(text) > searchLimit || strings.ContainsRune(text, 0) {
		return "", BadRequest(OptionSearch,
			"Query option '$search' must be a text of 1 to %d bytes.", searchLimit)
	}
	return text, nil
}

// Skipped reads $skip: how many things of the whole list to pass over.
func (r *Request) Skipped() (int, error) { return skipped(r.Options) }

// skipped reads $skip.
func skipped(options url.Values) (int, error) {
	if !options.Has(OptionSkip) {
		return 0, nil
	}
	n, err := strconv.ParseUint(options.Get(OptionSkip), 10, 32)
	if err != nil || n > largestSkip {
		return 0, BadRequest(OptionSkip,
			"Query option '$skip' must be a number from 0 to %d. To read a whole list, follow @odata.nextLink.", largestSkip)
	}
	if options.Has(OptionSkipToken) {
		return 0, BadRequest(OptionSkip,
			"Query options '$skip' and '$skiptoken' exclude each other. Give one of them.")
	}
	return int(n), nil
}

// WantsCount reads $count: whether the answer shall tell how many things the whole list has.
func (r *Request) WantsCount() (bool, error) { return counted(r.Options) }

// counted reads $count.
func counted(options url.Values) (bool, error) {
	switch value := options.Get(OptionCount); {
	case !options.Has(OptionCount), SameName(value, "false"):
		return false, nil
	case SameName(value, "true"):
		return true, nil
	default:
		return false, BadRequest(OptionCount, "Query option '$count' must be true or false.")
	}
}
