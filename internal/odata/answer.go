package odata

import (
	"fmt"
	"net/http"
	"strconv"
)

// Reply answers with a JSON body, in the form that the caller wants.
func (r *Request) Reply(status int, body Fields) (err error) {
	contentType := "application/json"
	if r.isVersioned() {
		switch {
		case r.wantsNoBody(status):
			return r.ReplyNoContent()
		case r.isUnmodified():
			r.Writer.WriteHeader(http.StatusNotModified)
			return nil
		}
		if body, err = r.annotated(r.narrowed.answer(body)); err != nil {
			return fmt.Errorf("annotating the answer: %w", err)
		}
		contentType = r.format.contentType()
	}
	text, err := body.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	write(r.Writer, contentType, status, text)
	return nil
}

// ReplyNoContent answers that it was done, and nothing more.
func (r *Request) ReplyNoContent() error {
	r.Writer.WriteHeader(http.StatusNoContent)
	return nil
}

// replyCount answers with the size of a list, as plain text.
func (r *Request) replyCount(n int) error {
	write(r.Writer, "text/plain; charset=utf-8", http.StatusOK, []byte(strconv.Itoa(n)))
	return nil
}

// ReplyCount answers with the size of a list that is at hand.
func (r *Request) ReplyCount(n int) error { return r.replyCount(n) }

// ReplyObject answers with one object of a collection, whose type the object itself tells.
func (r *Request) ReplyObject(status int, collection string, f Fields) error {
	context := Field{Name: "@odata.context", Value: r.ContextURL(collection) + "/$entity"}
	return r.Reply(status, append(Fields{context}, f...))
}

// ReplyEntity answers with one object of a collection, of this type.
func (r *Request) ReplyEntity(status int, collection string, of TypeName, f Fields) error {
	return r.ReplyObject(status, collection, Typed(of, f))
}

// ReplyCreated answers with a new object of a collection.
func (r *Request) ReplyCreated(collection, id string, of TypeName, f Fields) error {
	r.Writer.Header().Set("Location", r.URL(collection+"/"+id))
	return r.ReplyEntity(http.StatusCreated, collection, of, f)
}

// ContextURL is @odata.context of a collection.
func (r *Request) ContextURL(collection string) string {
	url := r.URL("$metadata#" + collection)
	if r.selection != "" {
		url += "(" + r.selection + ")"
	}
	return url
}

// Typed is an object with its type.
func Typed(of TypeName, f Fields) Fields {
	return append(Fields{{Name: "@odata.type", Value: "#" + Qualified(of)}}, f...)
}

// write writes an answer. An error of writing means that the caller has gone.
func write(w http.ResponseWriter, contentType string, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
