package odata

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// largestBatch is the most requests of a batch (Microsoft Graph, JSON batching).
const largestBatch = 20

// BatchPath is the path of batches under their version.
const BatchPath = "$batch"

// batchItem is one request of a batch.
type batchItem struct {
	id, method, url string
	place           *place // in the body
	header          *Object
	body            any
	after           []string // ids of what it depends on
	answer          *batchAnswer
}

// at is the full name of a property of the item.
func (item *batchItem) at(name string) string {
	return (&place{in: item.place,
		name: name}).String()
}

// batchAnswer is an http.ResponseWriter that keeps an item's answer.
type batchAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *batchAnswer) Header() http.Header { return a.header }

func (a *batchAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *batchAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func newBatchAnswer() *batchAnswer { return &batchAnswer{header: make(http.Header)} }

// Batch serves the requests that the body of one brings together (Microsoft Graph, JSON batching).
type Batch struct {
	// Serve answers each of them. They come from the same caller as the batch.
	Serve http.Handler
	// Refuse answers one that cannot be served with an error.
	Refuse func(w http.ResponseWriter, r *http.Request, err error)
	// Example is a relative URL that messages name.
	Example string
}

// Reply carries out the requests of a batch one after another, each after those that it depends on,
// and answers with all of their answers.
func (b *Batch) Reply(r *Request) error {
	body, err := r.ReadBody()
	if err != nil {
		return err
	}
	items, err := readBatch(body)
	if err != nil {
		return err
	}
	ordered, err := inOrder(items)
	if err != nil {
		return err
	}
	room := r.service.maxBody * batchRoom
	for _, item := range ordered {
		if err := r.Context().Err(); err != nil {
			return err
		}
		b.runItem(r, item, items, room)
		room -= int64(item.answer.body.Len())
	}
	answers := make([]Fields, len(items))
	for i, item := range items {
		answers[i] = item.shown()
	}
	return r.Reply(http.StatusOK, Fields{{Name: "responses", Value: answers}})
}

// readBatch reads the requests. What is wrong with the frame is wrong with the whole.
func readBatch(body *Object) ([]*batchItem, error) {
	if err := body.Only("requests"); err != nil {
		return nil, err
	}
	list, err := body.RequiredObjects("requests")
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || len(list) > largestBatch {
		return nil, BadRequest("requests",
			"Property 'requests' has %d elements; there must be 1 to %d.", len(list), largestBatch)
	}
	items := make([]*batchItem, len(list))
	for i, one := range list {
		if items[i], err = readItem(one); err != nil {
			return nil, err
		}
		if find(items[:i], items[i].id) != nil {
			return nil, BadRequest(one.At("id"),
				"Property '%s' is not valid: '%s' is the id of another request, too.", one.At("id"),
				Clip(items[i].id))
		}
	}
	return items, nil
}

func readItem(o *Object) (item *batchItem, err error) {
	if err := o.Only("id", "method", "url", "headers", "body", "dependsOn"); err != nil {
		return nil, err
	}
	item = &batchItem{place: o.place, body: o.Values["body"]}
	if item.id, err = batchID(o.Values["id"], o.At("id")); err != nil {
		return nil, err
	}
	if item.method, err = o.RequiredText("method"); err != nil {
		return nil, err
	}
	item.method = strings.ToUpper(item.method)
	if item.url, err = o.RequiredText("url"); err != nil {
		return nil, err
	}
	if o.Values["headers"] != nil {
		if item.header, err = o.RequiredObject("headers"); err != nil {
			return nil, err
		}
	}
	item.after, err = readDependencies(o)
	return item, err
}

// batchID is the id of a request, which scripts also give as a number.
func batchID(value any, place string) (string, error) {
	switch v := value.(type) {
	case json.Number:
		return v.String(), nil
	case string:
		if v != "" {
			return v, nil
		}
	}
	return "", BadRequest(place, "Property '%s' is required and must be a string or a number.",
		place)
}

// readDependencies reads the ids of the requests that one depends on.
func readDependencies(o *Object) (ids []string, err error) {
	const name = "dependsOn"
	list, isList := o.Values[name].([]any)
	if o.Values[name] != nil && !isList {
		return nil, BadRequest(o.At(name), "Property '%s' must be a collection.", o.At(name))
	}
	for i, value := range list {
		id, err := batchID(value, fmt.Sprintf("%s[%d]", o.At(name), i))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// find returns the item of an id, whose letters may be in either case; nil: there is none.
func find(items []*batchItem, id string) *batchItem {
	i := slices.IndexFunc(items,
		func(item *batchItem) bool { return strings.EqualFold(item.id, id) })
	if i < 0 {
		return nil
	}
	return items[i]
}

// inOrder puts each item after those that it depends on, and otherwise leaves them as they come.
func inOrder(items []*batchItem) (ordered []*batchItem, err error) {
	for _, item := range items {
		for i, id := range item.after {
			if find(items, id) == nil {
				return nil, BadRequest(item.at("dependsOn"),
					"Property '%s[%d]' is not valid: there is no request '%s'.",
					item.at("dependsOn"), i, Clip(id))
			}
		}
	}
	waits := func(item *batchItem) bool {
		return slices.Contains(ordered, item) ||
			slices.ContainsFunc(item.after,
				func(id string) bool { return find(ordered, id) == nil })
	}
	for len(ordered) < len(items) {
		i := slices.IndexFunc(items, func(item *batchItem) bool { return !waits(item) })
		if i < 0 {
			return nil, BadRequest("requests",
				"Property 'requests' is not valid: requests depend on one another in a circle.")
		}
		ordered = append(ordered, items[i])
	}
	return ordered, nil
}

// shown is an item's answer. A body that is not JSON is base64.
func (item *batchItem) shown() Fields {
	a := item.answer
	names := make([]string, 0, len(a.header))
	for name := range a.header {
		names = append(names, name)
	}
	slices.Sort(names)
	header := Fields{}
	for _, name := range names {
		header = append(header, Field{Name: partHeader(name),
			Value: strings.Join(a.header[name], ", ")})
	}
	shown := Fields{
		{Name: "id", Value: item.id},
		{Name: "status", Value: a.status},
		{Name: "headers", Value: header},
	}
	switch {
	case a.body.Len() == 0:
		return shown
	case strings.HasPrefix(a.header.Get("Content-Type"), "application/json"):
		return append(shown, Field{Name: "body", Value: json.RawMessage(a.body.Bytes())})
	default:
		return append(shown, Field{Name: "body", Value: a.body.Bytes()})
	}
}

// partHeader is a header's name as Graph writes it in a batch, where clients look for these very
// letters.
func partHeader(name string) string {
	for _, known := range []string{"request-id", "client-request-id", "ETag", "OData-Version",
		"OData-EntityId", "WWW-Authenticate"} {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return name
}

// runItem carries out an item, unless one that it depends on has failed.
func (b *Batch) runItem(r *Request, item *batchItem, items []*batchItem, room int64) {
	for _, id := range item.after {
		if status := find(items, id).answer.status; status >= http.StatusBadRequest {
			b.refuseItem(r, item, &Fault{Status: http.StatusFailedDependency,
				Code: CodeFailedDependency,
				Message: fmt.Sprintf("Request '%s', on which this one depends, failed with %d.",
					Clip(id), status)})
			return
		}
	}
	one, err := b.itemRequest(r, item)
	if err != nil {
		b.refuseItem(r, item, err)
		return
	}
	item.answer = newBatchAnswer()
	b.Serve.ServeHTTP(item.answer, one)
	item.answer.WriteHeader(http.StatusOK)
	if item.method == http.MethodHead {
		item.answer.body.Reset()
	}
	// What was written is told in any case: a caller who does not hear that it was done does it
	// again.
	if item.method == http.MethodGet && int64(item.answer.body.Len()) > room {
		b.refuseItem(r, item,
			BadRequest("", "The answer has %d bytes, more than fit into this batch's. "+
				"Ask for less with $top or $select, or without a batch.", item.answer.body.Len()))
	}
}
