package graph

import (
	"net/http"
	"time"
)

const codeTimeout = "RequestTimeout"

// TooSlow answers a request whose body did not come in time, as Unavailable does; it is for who reads bodies for the surface.
func TooSlow(w http.ResponseWriter, r *http.Request, now time.Time) {
	requestID, clientRequestID := identify(w, r)
	f := &fault{status: http.StatusRequestTimeout, code: codeTimeout,
		message: "The request body did not come in time. Nothing was changed. Send the request again."}
	f.tell(w, requestID, clientRequestID, now)
}
