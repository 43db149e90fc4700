package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// page is one page of a list.
type page struct {
	collection string // its path under the version, e.g. deviceManagement/managedDevices
	count      *int   // of the whole list, if $count asked for it
	next       string // the $skiptoken of the next page; empty: this is the last
	value      []fields
}

// Microsoft Graph's versions. What is in v1.0 there is here, too.
const (
	versionPath   = "/beta/"
	stableVersion = "/v1.0/"
)

// version is the one that the call's path is in.
func (c *call) version() string {
	if strings.HasPrefix(c.r.URL.Path, stableVersion) {
		return stableVersion
	}
	return versionPath
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

// nextLink is the absolute URL of the next page: this call's options with another $skiptoken, and with the size of the
// pages that the caller prefers. Names of options keep their $, which some clients look for.
func (c *call) nextLink(p page) string {
	var query []string
	preferred := maxPageSize(c.r.Header)
	for name, values := range c.options {
		switch {
		case name == optionSkipToken, name == optionSkip:
		case name == optionTop && preferred > 0:
		default:
			query = append(query, name+"="+url.QueryEscape(values[0]))
		}
	}
	if size, err := pageSize(c.options); err == nil && preferred > 0 {
		if c.options.Has(optionTop) {
			preferred = min(preferred, size)
		}
		query = append(query, optionTop+"="+strconv.Itoa(preferred))
	}
	slices.Sort(query)
	query = append(query, optionSkipToken+"="+url.QueryEscape(p.next))
	return c.base() + c.version() + p.collection + "?" + strings.Join(query, "&")
}

// skipToken is where the next page begins, for the order that it was made in. Callers get it encoded, and opaque.
type skipToken struct {
	OrderBy  string `json:",omitempty"`
	Position query.Position
}

func (t skipToken) String() string {
	text, err := json.Marshal(t)
	if err != nil {
		panic("graph: a skip token does not marshal: " + err.Error()) // texts and numbers of the store's
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// readSkipToken reads $skiptoken; nil: the first page.
func readSkipToken(options url.Values) (*query.Position, error) {
	if !options.Has(optionSkipToken) {
		return nil, nil
	}
	var t skipToken
	text, err := base64.RawURLEncoding.DecodeString(options.Get(optionSkipToken))
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err = d.Decode(&t)
	}
	if err != nil || t.OrderBy != options.Get(optionOrderBy) {
		return nil, badSkipToken()
	}
	for i, key := range t.Position.Keys {
		if number, ok := key.(json.Number); ok {
			if t.Position.Keys[i], err = number.Int64(); err != nil {
				return nil, badSkipToken()
			}
		}
	}
	return &t.Position, nil
}

func badSkipToken() error {
	return badRequest(optionSkipToken, "Query option '$skiptoken' is not valid: use the @odata.nextLink of an answer as it is.")
}

// plainPage reads the options of a list in the order of ids: the id before the page, and the page's size.
func (c *call) plainPage() (after string, size int, err error) {
	if size, err = c.pageSize(); err != nil {
		return "", 0, err
	}
	position, err := readSkipToken(c.options)
	if err != nil || position == nil {
		return "", size, err
	}
	if len(position.Keys) == 1 {
		if after, ok := position.Keys[0].(string); ok && after != "" {
			return after, size, nil
		}
	}
	return "", 0, badSkipToken()
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
	return list[:size], skipToken{Position: query.Position{Keys: []any{id(list[size-1])}}}.String()
}

// ownList answers with a page of a list that is not Graph's. next is where the next page begins; nil: this is the last.
func (c *call) ownList(items []fields, next any) error {
	body := fields{}
	if next != nil {
		position, err := json.Marshal(next)
		if err != nil {
			return err
		}
		options := url.Values{optionSkipToken: {base64.RawURLEncoding.EncodeToString(position)}}
		if c.options.Has(optionTop) {
			options.Set(optionTop, c.options.Get(optionTop))
		}
		body = append(body, field{"@odata.nextLink", c.base() + c.r.URL.Path + "?" + options.Encode()})
	}
	return c.reply(http.StatusOK, append(body, field{"value", items}))
}

// behind reads $skiptoken of a list that is not Graph's.
func (c *call) behind(position any) error {
	if !c.options.Has(optionSkipToken) {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(c.options.Get(optionSkipToken))
	if err == nil {
		err = json.Unmarshal(text, position)
	}
	if err != nil {
		return badSkipToken()
	}
	return nil
}
