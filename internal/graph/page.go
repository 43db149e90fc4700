package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// page is one page of a list.
type page struct {
	collection string // its path under the version, e.g. deviceManagement/managedDevices
	count      *int   // of the whole list, if $count asked for it
	next       string // the $skiptoken of the next page; empty: this is the last
	value      []fields
}

const versionPath = "/beta/"

// contextURL is @odata.context of a collection.
func (c *call) contextURL(collection string) string {
	url := c.base() + versionPath + "$metadata#" + collection
	if c.options.Has(optionSelect) {
		url += "(" + strings.ReplaceAll(c.options.Get(optionSelect), " ", "") + ")"
	}
	return url
}

// list answers with a page.
func (c *call) list(p page) error {
	body := fields{{"@odata.context", c.contextURL(p.collection)}}
	if p.count != nil {
		body = append(body, field{"@odata.count", *p.count})
	}
	if p.next != "" {
		body = append(body, field{"@odata.nextLink", c.nextLink(p)})
	}
	return c.reply(http.StatusOK, append(body, field{"value", p.value}))
}

// nextLink is the absolute URL of the next page: this call's options with another $skiptoken. Names of options keep
// their $, which some clients look for.
func (c *call) nextLink(p page) string {
	var query []string
	for name, values := range c.options {
		if name != optionSkipToken {
			query = append(query, name+"="+url.QueryEscape(values[0]))
		}
	}
	slices.Sort(query)
	query = append(query, optionSkipToken+"="+url.QueryEscape(p.next))
	return c.base() + versionPath + p.collection + "?" + strings.Join(query, "&")
}

// skipToken is where the next page begins, for the order that it was made in. Callers get it encoded, and opaque.
type skipToken struct {
	OrderBy  string `json:",omitempty"`
	Position fleet.Position
}

func (t skipToken) String() string {
	text, err := json.Marshal(t)
	if err != nil {
		panic("graph: a skip token does not marshal: " + err.Error()) // a name and a time of the store's
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// readSkipToken reads $skiptoken; nil: the first page.
func readSkipToken(options url.Values) (*fleet.Position, error) {
	if !options.Has(optionSkipToken) {
		return nil, nil
	}
	var t skipToken
	text, err := base64.RawURLEncoding.DecodeString(options.Get(optionSkipToken))
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil || t.Position.ID == "" || t.OrderBy != options.Get(optionOrderBy) {
		return nil, badRequest(optionSkipToken,
			"Query option '$skiptoken' is not valid: use the @odata.nextLink of an answer as it is.")
	}
	return &t.Position, nil
}

// listOptions are the query options of lists in the order of ids.
var listOptions = []string{optionSelect, optionTop, optionSkipToken}

// plainPage reads the options of a list in the order of ids: the id before the page, and the page's size.
func (c *call) plainPage() (after string, size int, err error) {
	if size, err = pageSize(c.options); err != nil {
		return "", 0, err
	}
	position, err := readSkipToken(c.options)
	if err != nil || position == nil {
		return "", size, err
	}
	return string(position.ID), size, nil
}

// cut takes a page of size off a list that has one element more if there is a next page, and returns that page's
// $skiptoken.
func cut[T any](list []T, size int, id func(T) string) ([]T, string) {
	if len(list) <= size {
		return list, ""
	}
	if size == 0 {
		return nil, ""
	}
	return list[:size], skipToken{Position: fleet.Position{ID: fleet.DeviceID(id(list[size-1]))}}.String()
}
