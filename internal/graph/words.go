package graph

import (
	"strings"
	"time"
)

const day = 24 * time.Hour

// lower is an id as it is stored: callers may write its letters in either case.
func lower(id string) string { return strings.ToLower(id) }
