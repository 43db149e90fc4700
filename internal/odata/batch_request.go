package odata

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// batchRoom is how large a batch's answer may be, as a multiple of what a request's body may be.
const batchRoom = 4

// itemRequest is the request that an item stands for, from the caller of the batch. The error is a
// fault of the item.
func (b *Batch) itemRequest(r *Request, item *batchItem) (*http.Request, error) {
	target, err := b.itemURL(r, item)
	if err != nil {
		return nil, err
	}
	content, err := item.content()
	if err != nil {
		return nil, err
	}
	one, err := http.NewRequestWithContext(r.Context(), item.method, target.String(), content)
	if err != nil {
		return nil, BadRequest(item.place.String(), "Property '%s' or '%s' is not valid.",
			item.at("method"), item.at("url"))
	}
	one.Host = r.HTTP.Host
	one.RemoteAddr = r.HTTP.RemoteAddr
	one.TLS = r.HTTP.TLS
	for _, name := range append(callerHeaders, "client-request-id") {
		if values := r.HTTP.Header.Values(name); len(values) > 0 {
			one.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	return one, item.setHeader(one.Header)
}

// callerHeaders say who calls and from where. They are the batch's, for all of its items.
var callerHeaders = []string{"Authorization", "Cookie", "Forwarded", "X-Forwarded-For",
	"X-Forwarded-Proto", "X-Forwarded-Host", "User-Agent"}

// frameHeaders belong to a message of its own, which an item is not.
var frameHeaders = []string{"Host", "Connection", "Content-Length", "Content-Encoding",
	"Transfer-Encoding", "Te", "Trailer", "Upgrade"}

// itemURL is the address of an item: relative to the batch's version, or with a version in front.
func (b *Batch) itemURL(r *Request, item *batchItem) (*url.URL, error) {
	refuse := func(reason string) (*url.URL, error) {
		return nil, BadRequest(item.at("url"), "Property '%s' is not valid: %s.", item.at("url"),
			reason)
	}
	text := "/" + strings.TrimPrefix(item.url, "/")
	place, _, _ := strings.Cut(text, "?")
	if strings.HasPrefix(place, "/api/") || strings.HasPrefix(place, "//") ||
		strings.Contains(place, "://") || strings.Contains(text, "#") {
		return refuse("only what is Graph's can be in a batch, by a relative URL such as " +
			b.Example)
	}
	if isGraphPath(place) {
		version, rest, _ := strings.Cut(text[1:], "/")
		text = "/" + strings.ToLower(version) + "/" + rest
	} else {
		text = r.Version() + text[1:]
	}
	u, err := url.ParseRequestURI(text)
	switch {
	case err != nil:
		return refuse("it is no URL")
	case strings.EqualFold(path.Base(u.Path), BatchPath):
		return refuse("a batch cannot be in a batch")
	}
	return u, nil
}

// content is an item's body: JSON as it came.
func (item *batchItem) content() (io.Reader, error) {
	switch body := item.body.(type) {
	case nil:
		return http.NoBody, nil
	case *Object:
		text, err := json.Marshal(body)
		return bytes.NewReader(text), err
	default:
		return nil, BadRequest(item.at("body"),
			"Property '%s' must be a JSON object: nothing here takes another body.",
			item.at("body"))
	}
}

// setHeader adds an item's own headers.
func (item *batchItem) setHeader(h http.Header) error {
	if item.header == nil {
		return nil
	}
	for _, name := range item.header.Names {
		value, ok := item.header.Values[name].(string)
		if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return BadRequest(item.header.At(name),
				"Property '%s' is no header with a string as its value.", item.header.At(name))
		}
		for _, other := range append(callerHeaders[:6:6], frameHeaders...) {
			if strings.EqualFold(name, other) {
				return BadRequest(item.header.At(name),
					"Property '%s' is not valid: '%s' belongs to the batch, not to one of its requests.",
					item.header.At(name), other)
			}
		}
		h.Set(name, value)
	}
	return nil
}

// refuseItem answers an item with an error, in place of any other answer.
func (b *Batch) refuseItem(r *Request, item *batchItem, err error) {
	item.answer = newBatchAnswer()
	one := r.HTTP.Clone(r.Context())
	one.Method = item.method
	one.URL = &url.URL{Path: item.url}
	b.Refuse(item.answer, one, err)
}
