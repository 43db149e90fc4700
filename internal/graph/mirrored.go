package graph

import (
	"fmt"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// mirroredProperty marks a policy or app that another system keeps and installs, by the name under
// which that is connected. It is an annotation, so that clients of Graph's pass over it.
const mirroredProperty = "@syncpayloads.mirroredFrom"

// mirroredMark is the mark of a payload; none if it is this server's own.
func mirroredMark(p *catalog.Payload) odata.Fields {
	if p.MirroredFrom == "" {
		return nil
	}
	return odata.Fields{{mirroredProperty, p.MirroredFrom}}
}

// mirroredFault refuses a change of what another system keeps.
func mirroredFault(p *catalog.Payload) error {
	return &odata.Fault{Status: http.StatusMethodNotAllowed, Code: odata.CodeMethodNotAllowed,
		Message: fmt.Sprintf("'%s' is managed in Intune, in the tenant connected as '%s'. It is "+
			"only shown here: change it, delete it and assign it there.", p.DisplayName, p.MirroredFrom),
		Header: map[string]string{"Allow": "GET, HEAD"}}
}

// reads reports whether the call only reads.
func (c *call) reads() bool {
	return c.req.HTTP.Method == http.MethodGet || c.req.HTTP.Method == http.MethodHead
}
