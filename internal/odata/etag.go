package odata

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// ETagProperty is the entity tag of an object within a JSON body.
const ETagProperty = "@odata.etag"

// anyTag is the condition that there is the thing at all.
const anyTag = "*"

// ReadCondition reads If-Match, and refuses it where it would not be obeyed.
func (r *Request) ReadCondition() (err error) {
	if r.match, err = readTags(r.HTTP.Header, "If-Match"); err != nil {
		return err
	}
	if len(r.match) > 0 && !slices.Contains(r.match, anyTag) && !r.Operation.Conditional {
		return BadRequest("If-Match",
			"Header 'If-Match' is not supported here. Leave it out, or give '*'.")
	}
	return nil
}

// readTags reads a list of entity tags (RFC 9110, section 8.8.3). They come without W/ and quotes:
// all of them are weak here, and, as OData has it, compared all the same.
func readTags(h http.Header, name string) (tags []string, err error) {
	rest := strings.TrimSpace(strings.Join(h.Values(name), ","))
	if rest == anyTag {
		return []string{anyTag}, nil
	}
	for rest != "" {
		tag, ok := strings.CutPrefix(strings.TrimPrefix(rest, "W/"), `"`)
		if ok {
			tag, rest, ok = strings.Cut(tag, `"`)
		}
		rest = strings.TrimSpace(rest)
		if !ok || rest != "" && rest[0] != ',' {
			return nil, BadRequest(name,
				`Header '%s' is not valid: give '*', or entity tags as they came, such as W/"x".`,
				name)
		}
		tags = append(tags, tag)
		rest = strings.TrimSpace(strings.TrimLeft(rest, ", "))
	}
	return tags, nil
}

// HasCondition reports whether the request is only for a thing as it was read.
func (r *Request) HasCondition() bool { return len(r.match) > 0 }

// CheckMatch returns an error unless one of the tags is one that the request was made for.
func (r *Request) CheckMatch(tags ...string) error {
	named := func(tag string) bool { return slices.Contains(r.match, tag) }
	if len(r.match) == 0 || named(anyTag) || slices.ContainsFunc(tags, named) {
		return nil
	}
	return PreconditionFailed()
}

// SetTag makes the entity tag of the thing that is answered known.
func (r *Request) SetTag(tag string) { r.Writer.Header().Set("ETag", QuoteTag(tag)) }

// Tagged is an object of a body with its entity tag.
func Tagged(tag string, f Fields) Fields {
	return append(Fields{{Name: ETagProperty, Value: QuoteTag(tag)}}, f...)
}

// QuoteTag is a tag as headers and bodies have it.
func QuoteTag(tag string) string { return `W/"` + tag + `"` }

// isUnmodified reports whether the caller has the answer already.
func (r *Request) isUnmodified() bool {
	if !IsSafe(r.HTTP.Method) || r.Operation.PartTagged {
		return false
	}
	tag := strings.TrimSuffix(strings.TrimPrefix(r.Writer.Header().Get("ETag"), `W/"`), `"`)
	known, err := readTags(r.HTTP.Header, "If-None-Match")
	return err == nil && tag != "" && (slices.Contains(known, tag) ||
		slices.Contains(known, anyTag))
}

// TagOf makes an entity tag of all that makes up a thing.
func TagOf(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		// it is made of texts, times and JSON
		panic("odata: an entity tag does not marshal: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
