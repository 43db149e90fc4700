package server_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net/http"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/server"
)

// A path with empty or dotted segments is nothing here. A redirect would lead clients, who follow
// it with the same method and body, to another thing.
func TestUncleanPathsAreRefused(t *testing.T) {
	s := newCrowded(t, server.Config{})
	for _, path := range []string{"//beta/groups", "/beta//groups", "/beta/groups/.",
		"/beta/groups/x/..", "/beta/groups/x/members/../", "/./beta/groups",
		"/console//devices", "/console/..", "/mdm/../scep", "/../healthz"} {
		for _, method := range []string{"GET", "DELETE", "POST", "PUT"} {
			conn, err := tls.Dial("tcp", address(s.Server), trust(t, s.Server))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn,
				"%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", method, path, s.bearer)
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			if answer.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: %s %s", method, path, answer.Status, answer.Header.Get("Location"))
			}
		}
	}
}
