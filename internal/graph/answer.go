package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// isGraph reports whether the call is for Graph's part of the surface.
func (c *call) isGraph() bool {
	return strings.HasPrefix(c.r.URL.Path, versionPath) || strings.HasPrefix(c.r.URL.Path, stableVersion)
}

// reply answers with a JSON body, in the form that the call wants.
func (c *call) reply(status int, body fields) (err error) {
	if c.isGraph() {
		switch {
		case c.minimalReturn(status):
			return c.noContent()
		case c.unmodified():
			c.w.WriteHeader(http.StatusNotModified)
			return nil
		}
		if body, err = c.annotated(body); err != nil {
			return fmt.Errorf("annotating the answer: %w", err)
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	contentType := "application/json"
	if c.isGraph() {
		contentType = c.format.contentType()
	}
	write(c.w, contentType, status, text)
	return nil
}

func write(w http.ResponseWriter, contentType string, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the caller has gone
}

func (c *call) noContent() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c *call) replyCount(n int) error {
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write([]byte(strconv.Itoa(n))) // an error means that the caller has gone
	return nil
}

// typed is an object with its Graph type.
func typed(of typeName, f fields) fields {
	return append(fields{{"@odata.type", "#" + qualified(of)}}, f...)
}

// entity answers with one object of a collection.
func (c *call) entity(status int, collection string, odataType typeName, f fields) error {
	return c.reply(status, append(fields{{"@odata.context", c.contextURL(collection) + "/$entity"}}, typed(odataType, f)...))
}

// created answers with a new object of a collection.
func (c *call) created(collection, id string, odataType typeName, f fields) error {
	c.w.Header().Set("Location", c.base()+c.version()+collection+"/"+id)
	return c.entity(http.StatusCreated, collection, odataType, f)
}

// contextURL is @odata.context of a collection.
func (c *call) contextURL(collection string) string {
	url := c.base() + c.version() + "$metadata#" + collection
	if c.options.Has(optionSelect) {
		url += "(" + strings.ReplaceAll(c.options.Get(optionSelect), " ", "") + ")"
	}
	return url
}
