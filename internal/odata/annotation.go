package odata

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// How much an answer tells about itself (OData JSON format 4.0, section 3.1). The zero value is
// what Graph sends unasked.
const (
	metadataMinimal = "minimal"
	metadataFull    = "full"
	metadataNone    = "none"
)

// format is how a call wants its answer.
type format struct {
	metadata string
	longText bool // numbers that a double cannot hold are strings (section 3.2)
}

// contentType is that of an answer in this format.
func (f format) contentType() string {
	return fmt.Sprintf("application/json;odata.metadata=%s;odata.streaming=true;IEEE754Compatible=%t;charset=utf-8", f.metadata, f.longText)
}

// readFormat reads Accept. What is not JSON there is passed over: there are no other answers.
func readFormat(h http.Header) (format, error) {
	wanted := format{metadata: metadataMinimal}
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if media != "application/json" {
			continue
		}
		if err != nil {
			return wanted, BadRequest("Accept", "Header 'Accept' is not valid: '%s'.", Clip(part))
		}
		for name, value := range params {
			if err := wanted.set(name, value); err != nil {
				return wanted, err
			}
		}
		break
	}
	return wanted, nil
}

// set takes one parameter of application/json. Names come in lower case.
func (f *format) set(name, value string) error {
	value = strings.ToLower(value)
	ok := true
	switch strings.TrimPrefix(name, "odata.") {
	case "metadata":
		f.metadata = value
		ok = value == metadataMinimal || value == metadataFull || value == metadataNone
	case "streaming":
		ok = value == "true" || value == "false"
	case "ieee754compatible":
		f.longText = value == "true"
		ok = f.longText || value == "false"
	case "charset":
		ok = value == "utf-8"
	case "q":
	default:
		ok = false
	}
	if !ok {
		return BadRequest("Accept", "Header 'Accept' asks for '%s=%s', which is not supported.",
			Clip(name), Clip(value))
	}
	return nil
}

// Negotiate reads how the caller wants to be answered. The server's own part of the surface has one
// form.
func (r *Request) Negotiate() (err error) {
	r.format = format{metadata: metadataMinimal}
	if !r.isVersioned() {
		return nil
	}
	if r.Options.Has(optionFormat) {
		r.format, err = r.readFormatOption()
	} else {
		r.format, err = readFormat(r.HTTP.Header)
	}
	if err != nil {
		return err
	}
	return r.readPreferences()
}

// annotated is an answer with the annotations and the members of enumerations that the caller
// wants.
func (r *Request) annotated(body Fields) (Fields, error) {
	a := &annotator{
		request:  r,
		schema:   r.service.model.schema,
		format:   r.format,
		knowsAll: r.prefers(preferUnknownMembers),
	}
	declared := a.schema.types[r.Operation.Answers]
	if declared == nil {
		return body, nil
	}
	knowsIt := a.knowsAll || !a.schema.evolving[declared.Name]
	if knowsIt && r.format == (format{metadata: metadataMinimal}) {
		return body, nil // it is as most want it already
	}
	whole, err := objectOf(body)
	if err != nil {
		return nil, err
	}
	set := r.Operation.Set
	if list, ok := whole.Values["value"].([]any); ok {
		a.leaveOut(whole)
		for _, one := range list {
			if o, ok := one.(*Object); ok {
				a.annotate(o, declared, set)
			}
		}
	} else {
		a.annotate(whole, declared, set)
	}
	return whole.fields(), nil
}
