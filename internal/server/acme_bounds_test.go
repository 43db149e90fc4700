package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// endlessText is text without end.
type endlessText struct{}

func (endlessText) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	return len(b), nil
}

// What says that it is the ACME CA does not fill the server's memory.
func TestEndlessACMEAnswer(t *testing.T) {
	written := make(chan int64, 16)
	authority := &acmeCA{Server: httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		_, _ = io.WriteString(w, `{"newNonce":"`)
		n, _ := io.Copy(w, io.LimitReader(endlessText{}, 256<<20))
		select {
		case written <- n:
		default:
		}
	}))}
	t.Cleanup(authority.Close)
	socket, _ := held(t)
	defer cost.Bound(t, 256<<20, 20*time.Second)() // the server's own start is in it
	beginOn(t, socket, authority.config(t.TempDir(), socket, io.Discard))
	if n := <-written; n > 32<<20 {
		t.Errorf("%d bytes of its directory were taken", n)
	}
}
