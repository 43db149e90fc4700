package odata

import (
	"net/http"
	"time"
)

// AnswerBusy answers a request with the error of a busy server, without looking at what it asks or
// who asks. It is for whatever keeps requests from the surface when there are too many. Callers are
// told to come again after retryAfter, in whole seconds.
func AnswerBusy(w http.ResponseWriter, r *http.Request, now time.Time, retryAfter time.Duration) {
	id, clientID := identify(w, r)
	Busy(retryAfter).write(w, id, clientID, now)
}

// AnswerTooSlow answers a request whose body did not come in time, as AnswerBusy does. It is for
// whatever reads bodies for the surface.
func AnswerTooSlow(w http.ResponseWriter, r *http.Request, now time.Time) {
	id, clientID := identify(w, r)
	f := &Fault{
		Status:  http.StatusRequestTimeout,
		Code:    CodeTimeout,
		Message: "The request body did not come in time. Nothing was changed. Send the request again.",
	}
	f.write(w, id, clientID, now)
}
