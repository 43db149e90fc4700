package graph

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The query options (OData 4.0 URL conventions).
const (
	optionSelect    = "$select"
	optionFilter    = "$filter"
	optionOrderBy   = "$orderby"
	optionExpand    = "$expand"
	optionTop       = "$top"
	optionSkip      = "$skip"
	optionCount     = "$count"
	optionSearch    = "$search"
	optionSkipToken = "$skiptoken"
)

var (
	// listOptions are the query options of lists in the order of ids.
	listOptions = []string{optionSelect, optionTop, optionSkipToken}
	// queryOptions are those of lists that are compiled into a query.
	queryOptions = []string{optionSelect, optionFilter, optionSearch, optionOrderBy, optionTop, optionSkip, optionCount, optionSkipToken}
	// expandOptions are those of such a list that can show what its things relate to.
	expandOptions = slices.Concat(queryOptions, []string{optionExpand})
	countOptions  = []string{optionFilter, optionSearch}
)

// As in Graph, $top is the size of a page, not of the whole list.
const (
	defaultPage = 100
	largestPage = 1000
	largestSkip = 100_000
)

// selected reads $select: the names of the wanted properties. Without it, or with *, all are.
func (c *call) selected(known []string) ([]string, error) {
	if !c.options.Has(optionSelect) {
		return known, nil
	}
	var wanted []string
	for name := range strings.SplitSeq(c.options.Get(optionSelect), ",") {
		name = strings.TrimSpace(name)
		if name == "*" {
			return known, nil
		}
		if !slices.Contains(known, name) {
			return nil, badRequest(optionSelect, "Query option '$select' is not valid: there is no property '%s'.", clip(name))
		}
		wanted = append(wanted, name)
	}
	return wanted, nil
}

const searchLimit = 200

// searchText reads $search: one phrase, with or without its quotes.
func searchText(value string) (string, error) {
	text := strings.TrimSpace(value)
	if len(text) >= 2 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		text = text[1 : len(text)-1]
	}
	if text == "" || len(text) > searchLimit || strings.ContainsRune(text, 0) {
		return "", badRequest(optionSearch, "Query option '$search' must be a text of 1 to %d bytes.", searchLimit)
	}
	return text, nil
}

// skipped reads $skip.
func skipped(options url.Values) (int, error) {
	if !options.Has(optionSkip) {
		return 0, nil
	}
	n, err := strconv.ParseUint(options.Get(optionSkip), 10, 32)
	if err != nil || n > largestSkip {
		return 0, badRequest(optionSkip, "Query option '$skip' must be a number from 0 to %d. To read a whole list, follow @odata.nextLink.", largestSkip)
	}
	if options.Has(optionSkipToken) {
		return 0, badRequest(optionSkip, "Query options '$skip' and '$skiptoken' exclude each other. Give one of them.")
	}
	return int(n), nil
}

// counted reads $count.
func counted(options url.Values) (bool, error) {
	switch value := options.Get(optionCount); {
	case !options.Has(optionCount), value == "false":
		return false, nil
	case value == "true":
		return true, nil
	default:
		return false, badRequest(optionCount, "Query option '$count' must be true or false.")
	}
}

// expansions reads $expand: which of the relationships are wanted.
func (c *call) expansions(known ...string) (wanted []string, err error) {
	if !c.options.Has(optionExpand) {
		return nil, nil
	}
	for name := range strings.SplitSeq(c.options.Get(optionExpand), ",") {
		if strings.TrimSpace(name) == "*" {
			return known, nil
		}
		if name = strings.TrimSpace(name); !slices.Contains(known, name) {
			return nil, badRequest(optionExpand, "Query option '$expand' is not valid: it can be %s, and not '%s'.", strings.Join(known, ", "),
				clip(name))
		}
		wanted = append(wanted, name)
	}
	return wanted, nil
}
