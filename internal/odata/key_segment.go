package odata

import (
	"net/http"
	"regexp"
	"strings"
)

// keySegment is a segment of a path that has a key in parentheses, maybe behind a cast.
var keySegment = regexp.MustCompile(`^([A-Za-z.]+)\('(.+)'\)$`)

// functionSegment is a segment that calls a function with one text (OData URL conventions 4.0,
// section 4.6). Patterns have it as two segments, of which the second is the text: ServeMux knows
// nothing that stands for a part of a segment.
var functionSegment = regexp.MustCompile(`^([A-Za-z.]+)\(([A-Za-z]+)='(.+)'\)$`)

// withKeySegments is a request for Graph whose path has its keys as segments: users('id') is
// users/id. OData has both forms (OData URL conventions 4.0, sections 4.3.1 and 4.3.4), and many
// scripts use the first.
func withKeySegments(r *http.Request) *http.Request {
	if !strings.Contains(r.URL.Path, "')") || !isGraphPath(r.URL.Path) {
		return r
	}
	segments := strings.Split(r.URL.Path, "/")
	for i, segment := range segments {
		if found := keySegment.FindStringSubmatch(segment); found != nil {
			segments[i] = found[1] + "/" + strings.ReplaceAll(found[2], "''", "'")
		}
		if found := functionSegment.FindStringSubmatch(segment); found != nil {
			segments[i] = found[1] + "(" + found[2] + ")/" +
				strings.ReplaceAll(found[3], "''", "'")
		}
	}
	return withPath(r, strings.Join(segments, "/"), "")
}
