package graph

import (
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// SetWritePatience is for tests that do not want to wait for a reader that takes nothing.
func SetWritePatience(d time.Duration) { writePatience = d }

// Operation is a route as tests walk it.
type Operation struct {
	Method, Pattern, Name string
	Options               []string
	Needs                 []access.Right
	Open, Reads           bool
}

// Operations lists the route table.
func Operations() []Operation {
	var all []Operation
	for _, rt := range routes() {
		all = append(all, Operation{rt.method, rt.pattern, rt.name, rt.options, rt.needs, rt.open,
			rt.reads(rt.method)})
	}
	return all
}
