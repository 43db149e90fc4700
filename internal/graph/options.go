package graph

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// The query options (OData 4.0 URL conventions).
const (
	optionSelect    = "$select"
	optionFilter    = "$filter"
	optionOrderBy   = "$orderby"
	optionTop       = "$top"
	optionCount     = "$count"
	optionSkipToken = "$skiptoken"
)

// As in Graph, $top is the size of a page, not of the whole list.
const (
	defaultPage = 100
	largestPage = 1000
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

// deviceQuery reads the options of a list of devices.
func (c *call) deviceQuery() (q fleet.Query, err error) {
	if c.options.Has(optionFilter) {
		if q.Where, err = parseFilter(c.options.Get(optionFilter)); err != nil {
			return q, err
		}
	}
	if c.options.Has(optionOrderBy) {
		if q.OrderBy, q.Descending, err = parseOrderBy(c.options.Get(optionOrderBy)); err != nil {
			return q, err
		}
	}
	if q.Limit, err = pageSize(c.options); err != nil {
		return q, err
	}
	q.After, err = readSkipToken(c.options)
	return q, err
}

var deviceOrders = map[string]fleet.Field{
	"id": fleet.ByID, "deviceName": fleet.ByName, "lastSyncDateTime": fleet.ByLastSync,
}

// parseOrderBy reads $orderby: one property, and a direction.
func parseOrderBy(text string) (by fleet.Field, descending bool, err error) {
	words := strings.Fields(text)
	if len(words) == 2 && (words[1] == "asc" || words[1] == "desc") {
		descending = words[1] == "desc"
		words = words[:1]
	}
	if len(words) == 1 {
		if by, ok := deviceOrders[words[0]]; ok {
			return by, descending, nil
		}
	}
	return 0, false, badRequest(optionOrderBy,
		"Query option '$orderby' '%s' is not supported: give one of id, deviceName, lastSyncDateTime, and asc or desc.", clip(text))
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
