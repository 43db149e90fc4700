// Package limit bounds what comes from outside before a library reads it, for libraries that have
// no bounds of their own. It imports no other package of this project. Answers bounds what servers
// answer; the rest is about keys.
package limit

import "net/http"

// Answers bounds the bodies of a server's answers, in bytes: libraries read them whole. A longer
// one ends in an error.
func Answers(next http.RoundTripper, bytes int64) http.RoundTripper { return answers{next, bytes} }

type answers struct {
	next  http.RoundTripper
	bytes int64
}

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, a.bytes)
	}
	return response, err
}
