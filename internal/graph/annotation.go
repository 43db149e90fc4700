package graph

import (
	"bytes"
	"encoding/json"
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

// isGraph reports whether the call is for Graph's part of the surface.
func (c *call) isGraph() bool {
	return strings.HasPrefix(c.r.URL.Path, versionPath) || strings.HasPrefix(c.r.URL.Path, stableVersion)
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

// answer sends a JSON body in the form that the call wants.
func (c *call) answer(status int, text []byte) error {
	if !c.isGraph() {
		write(c.w, status, text)
		return nil
	}
	switch {
	case c.minimalReturn(status):
		return c.noContent()
	case c.unmodified():
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	text, err := c.annotated(text)
	if err != nil {
		return fmt.Errorf("annotating the answer: %w", err)
	}
	c.w.Header().Set("Content-Type", c.format.contentType())
	c.w.WriteHeader(status)
	_, _ = c.w.Write(text) // an error means that the caller has gone
	return nil
}

// annotated is an answer with the annotations and the members of enumerations that the call wants.
func (c *call) annotated(text []byte) ([]byte, error) {
	a := &annotator{call: c, knowsAll: c.prefers(preferUnknownMembers)}
	set := c.answeredSet(text)
	declared := graphSchema.types[c.types[set]]
	if c.format == (format{metadata: metadataMinimal}) && (a.knowsAll || declared == nil || !graphSchema.evolving[declared.name]) {
		return text, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	// Pages put what callers sent deeper than they did.
	value, err := parseValue(d, "", -depthLimit)
	if err != nil {
		return nil, err
	}
	whole, ok := value.(*object)
	if !ok || declared == nil {
		return text, nil
	}
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
	return json.Marshal(whole)
}

// answeredSet is the path of the collection that an answer is of, as its context says; empty: it is of none.
func (c *call) answeredSet(text []byte) string {
	const key = `{"@odata.context":`
	if !bytes.HasPrefix(text, []byte(key)) {
		return ""
	}
	var context string
	if err := json.NewDecoder(bytes.NewReader(text[len(key):])).Decode(&context); err != nil {
		return ""
	}
	_, set, _ := strings.Cut(context, "$metadata#")
	if begin := strings.LastIndexByte(set, '('); begin >= 0 && !strings.HasPrefix(set[begin:], "('") {
		set = set[:begin] // the selected properties
	}
	set = strings.TrimSuffix(set, "/$entity")
	var path []string
	for segment := range strings.SplitSeq(set, "/") {
		segment, _, _ = strings.Cut(segment, "('")
		if !c.isPathKey(segment) {
			path = append(path, segment)
		}
	}
	return strings.Join(path, "/")
}

// isPathKey reports whether a segment is one of the ids in the call's path.
func (c *call) isPathKey(segment string) bool {
	for name := range strings.SplitSeq(c.route.pattern, "/") {
		if isKey(name) && strings.EqualFold(c.r.PathValue(strings.Trim(name, "{}")), segment) {
			return true
		}
	}
	return false
}
