package graph

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// How much an answer tells about itself (OData JSON format 4.0, section 3.1). The zero value is what Graph sends unasked.
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
			return wanted, badRequest("Accept", "Header 'Accept' is not valid: '%s'.", clip(part))
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
		return badRequest("Accept", "Header 'Accept' asks for '%s=%s', which is not supported.", clip(name), clip(value))
	}
	return nil
}

// negotiate reads how the call wants to be answered. Our own part of the surface has one form.
func (c *call) negotiate() (err error) {
	c.format = format{metadata: metadataMinimal}
	if !c.isGraph() {
		return nil
	}
	if c.format, err = readFormat(c.r.Header); err != nil {
		return err
	}
	return c.readPreferences()
}

// annotated is an answer with the annotations and the members of enumerations that the call wants.
func (c *call) annotated(body fields) (fields, error) {
	a := &annotator{call: c, knowsAll: c.prefers(preferUnknownMembers)}
	declared := graphSchema.types[c.route.answers]
	if declared == nil || c.format == (format{metadata: metadataMinimal}) && (a.knowsAll || !graphSchema.evolving[declared.name]) {
		return body, nil
	}
	whole, err := objectOf(body)
	if err != nil {
		return nil, err
	}
	set := c.route.set()
	if list, ok := whole.values["value"].([]any); ok {
		a.annotations(whole)
		for _, one := range list {
			if o, ok := one.(*object); ok {
				a.object(o, declared, set)
			}
		}
	} else {
		a.object(whole, declared, set)
	}
	return whole.fields(), nil
}
