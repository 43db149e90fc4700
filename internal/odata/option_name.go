package odata

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// The options that every request to Graph's part may have.
const (
	optionFormat  = "$format"
	optionVersion = "api-version"
)

// ReadOptions reads the query options. Each may occur once, and none that is not known. As in
// Graph, the letters of their names may be in either case, and in beta the $ may be missing
// (Microsoft Graph, query parameters).
func (r *Request) ReadOptions(known []string) error {
	given, err := parseQuery(r.HTTP.URL.RawQuery)
	if err != nil {
		return BadRequest("", "The query string is malformed.")
	}
	unstorable := func(v string) bool { return !plaintext.IsStorable(v) }
	options := make(url.Values, len(given))
	for name, values := range given {
		own, ok := r.optionName(name, known)
		if !ok {
			return BadRequest(Clip(name), "Query option '%s' is not supported here.", Clip(name))
		}
		if slices.ContainsFunc(values, unstorable) {
			return BadRequest(name, "Query option '%s' has the character U+0000, or is not UTF-8. "+
				"No text here has that.", name)
		}
		if _, again := options[own]; again || len(values) > 1 {
			return BadRequest(own, "Query option '%s' occurs more than once.", own)
		}
		options[own] = values
	}
	r.Options = options
	return r.checkVersion()
}

// parseQuery reads a query string. A semicolon is a character of a value there: it stands between the
// options within $expand (OData URL conventions 4.0, section 5.1.2), and clients send it as it is,
// which RFC 3986 allows.
func parseQuery(text string) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(text, ";", "%3B"))
}

// optionName is how the surface writes the name of an option. What is not Graph's has one form.
func (r *Request) optionName(given string, known []string) (own string, ok bool) {
	if !r.isVersioned() {
		return given, slices.Contains(known, given)
	}
	known = append([]string{optionFormat, optionVersion}, known...)
	own = ownName(known, given)
	if own == "" && r.Version() == BetaPath {
		own = ownName(known, "$"+given)
	}
	return own, own != ""
}

// checkVersion takes the version of the path, which some clients name in the query, too.
func (r *Request) checkVersion() error {
	if !r.Options.Has(optionVersion) {
		return nil
	}
	version := strings.Trim(r.Version(), "/")
	given := r.Options.Get(optionVersion)
	if SameName(given, version) || SameName("v"+given, version) {
		return nil
	}
	return BadRequest(optionVersion,
		"Query option 'api-version' says '%s', and the path '%s'. Leave the option out.",
		Clip(given), version)
}

// readFormatOption reads $format, which takes the place of Accept (OData protocol 4.0, section
// 11.2.10): json, or the media type with its parameters. The model is XML.
func (r *Request) readFormatOption() (format, error) {
	given := r.Options.Get(optionFormat)
	media, rest, _ := strings.Cut(given, ";")
	if media = strings.ToLower(strings.TrimSpace(media)); media == "json" || media == "xml" {
		media = "application/" + media
	}
	wanted := "application/json"
	if r.Operation != nil && strings.HasSuffix(r.Operation.Pattern, "$metadata") {
		wanted = "application/xml"
	}
	if rest != "" {
		rest = ";" + rest
	}
	if parsed, _, err := mime.ParseMediaType(media + rest); err != nil || parsed != wanted {
		return format{}, BadRequest(optionFormat,
			"Query option '$format' is '%s'; it can be %s here.", Clip(given), wanted)
	}
	return readFormat(http.Header{"Accept": {media + rest}})
}
