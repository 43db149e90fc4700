package odata

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

// Page is one page of a list.
type Page struct {
	Collection string // its path under the version
	Count      *int   // of the whole list, if $count asked for it
	Next       string // the $skiptoken of the next page; empty: this is the last
	Value      []Fields
}

// ReplyPage answers with a page.
func (r *Request) ReplyPage(p Page) error {
	body := Fields{{Name: "@odata.context", Value: r.ContextURL(p.Collection)}}
	if p.Count != nil {
		body = append(body, Field{Name: "@odata.count", Value: *p.Count})
	}
	if p.Next != "" {
		body = append(body, Field{Name: "@odata.nextLink", Value: r.nextLink(p)})
	}
	return r.Reply(http.StatusOK, append(body, Field{Name: "value", Value: p.Value}))
}

// nextLink is the absolute URL of the next page: this request's options with another $skiptoken,
// and with the size of the pages that the caller prefers. Names of options keep their $, which some
// clients look for.
func (r *Request) nextLink(p Page) string {
	var query []string
	preferred := maxPageSize(r.HTTP.Header)
	for name, values := range r.Options {
		switch {
		case name == OptionSkipToken, name == OptionSkip:
		case name == OptionTop && preferred > 0:
		default:
			query = append(query, name+"="+url.QueryEscape(values[0]))
		}
	}
	if size, err := PageSize(r.Options); err == nil && preferred > 0 {
		if r.Options.Has(OptionTop) {
			preferred = min(preferred, size)
		}
		query = append(query, OptionTop+"="+strconv.Itoa(preferred))
	}
	slices.Sort(query)
	query = append(query, OptionSkipToken+"="+url.QueryEscape(p.Next))
	return r.URL(p.Collection) + "?" + strings.Join(query, "&")
}

// skipToken is where the next page begins, for the order that it was made in. Callers get it
// encoded, and opaque.
type skipToken struct {
	OrderBy  string `json:",omitempty"`
	Position query.Position
}

func (t skipToken) String() string {
	text, err := json.Marshal(t)
	if err != nil {
		// texts and numbers of the store's
		panic("odata: a skip token does not marshal: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// readSkipToken reads $skiptoken; nil: the first page.
func readSkipToken(options url.Values) (*query.Position, error) {
	if !options.Has(OptionSkipToken) {
		return nil, nil
	}
	var t skipToken
	text, err := base64.RawURLEncoding.DecodeString(options.Get(OptionSkipToken))
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err = d.Decode(&t)
	}
	if err != nil || t.OrderBy != options.Get(OptionOrderBy) {
		return nil, BadSkipToken()
	}
	for i, key := range t.Position.Keys {
		if number, ok := key.(json.Number); ok {
			if t.Position.Keys[i], err = number.Int64(); err != nil {
				return nil, BadSkipToken()
			}
		}
	}
	return &t.Position, nil
}

// BadSkipToken refuses a $skiptoken that is of no answer.
func BadSkipToken() *Fault {
	return BadRequest(OptionSkipToken,
		"Query option '$skiptoken' is not valid: use the @odata.nextLink of an answer as it is.")
}

// PageByID reads the options of a list in the order of ids: the id before the page, and the page's
// size.
func (r *Request) PageByID() (after string, size int, err error) {
	if size, err = r.preferredPageSize(); err != nil {
		return "", 0, err
	}
	position, err := readSkipToken(r.Options)
	if err != nil || position == nil {
		return "", size, err
	}
	if len(position.Keys) == 1 {
		if after, ok := position.Keys[0].(string); ok && after != "" {
			return after, size, nil
		}
	}
	return "", 0, BadSkipToken()
}

// SplitPage takes a page of size off a list that has one element more if there is a next page, and
// returns that page's $skiptoken.
func SplitPage[T any](list []T, size int, id func(T) string) ([]T, string) {
	return splitPage(list, size, "", id)
}

// SplitOrdered is SplitPage of a list whose order the call may choose.
func SplitOrdered[T any](r *Request, list []T, size int, id func(T) string) ([]T, string) {
	return splitPage(list, size, r.Options.Get(OptionOrderBy), id)
}

func splitPage[T any](list []T, size int, order string, id func(T) string) ([]T, string) {
	if len(list) <= size {
		return list, ""
	}
	if size == 0 {
		return nil, ""
	}
	return list[:size], skipToken{OrderBy: order,
		Position: query.Position{Keys: []any{id(list[size-1])}}}.String()
}

// ReplyOwnPage answers with a page of a list that is not Graph's. next is where the next page
// begins; nil: this is the last.
func (r *Request) ReplyOwnPage(items []Fields, next any) error {
	body := Fields{}
	if next != nil {
		position, err := json.Marshal(next)
		if err != nil {
			return err
		}
		options := url.Values{OptionSkipToken: {base64.RawURLEncoding.EncodeToString(position)}}
		if r.Options.Has(OptionTop) {
			options.Set(OptionTop, r.Options.Get(OptionTop))
		}
		body = append(body, Field{Name: "@odata.nextLink",
			Value: r.Base + r.HTTP.URL.Path + "?" + options.Encode()})
	}
	return r.Reply(http.StatusOK, append(body, Field{Name: "value", Value: items}))
}

// ReadPosition reads $skiptoken of a list that is not Graph's.
func (r *Request) ReadPosition(position any) error {
	if !r.Options.Has(OptionSkipToken) {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(r.Options.Get(OptionSkipToken))
	if err == nil {
		err = json.Unmarshal(text, position)
	}
	if err != nil {
		return BadSkipToken()
	}
	return nil
}
