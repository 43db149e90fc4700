package faults

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// balancer asks a server how it is, as a balancer does: over a connection of its own each time, and
// for not too long.
func balancer(t *testing.T, n *node, path string) (status int, retryAfter, text string) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			DisableKeepAlives: true}}
	answer, err := client.Get("https://" + n.listen + path)
	if err != nil {
		t.Fatalf("%s is not answered: %v; the server said:\n%s", path, err, n.said)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Retry-After"), string(body)
}

// becomes waits until a server says of itself that it is ready, or that it is not.
func becomes(t *testing.T, n *node, status int, within time.Duration) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) { // as often as a balancer might
		got, retryAfter, text := balancer(t, n, "/readyz")
		if (retryAfter != "") != (got == http.StatusServiceUnavailable) ||
			strings.Contains(text, "127.0.0.1") || strings.Contains(text, "postgres") {
			t.Fatalf("/readyz answers %d, Retry-After %q: %s", got, retryAfter, text)
		}
		if got == status {
			t.Logf("%d after %s", status, time.Since(began).Round(time.Second/10))
			return
		}
		if time.Since(began) > within {
			t.Fatalf("after %s /readyz answers %d %s, want %d", within, got, text, status)
		}
	}
}

// A server that cannot reach its database is not ready, and lives; the other one is ready all the
// time. When the database is there again, so is the server.
func TestReadyFollowsTheDatabase(t *testing.T) {
	for name, cut := range map[string]func(*wall){"refused": (*wall).refuse, "silent": (*wall).silence} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			walls, urls := walled(t, c, 2)
			var nodes []*node
			for _, url := range urls {
				n := newNode(t, "--db", url)
				n.start()
				n.up()
				becomes(t, n, http.StatusOK, 10*time.Second)
				nodes = append(nodes, n)
			}
			for range 2 {
				cut(walls[0])
				becomes(t, nodes[0], http.StatusServiceUnavailable, 10*time.Second)
				for range 5 {
					if status, _, text := balancer(t, nodes[0],
						"/healthz"); status != http.StatusOK {
						t.Errorf("a server without a database says that it does not live: %d %s",
							status, text)
					}
					if status, _, text := balancer(t, nodes[0],
						"/readyz"); status != http.StatusServiceUnavailable {
						t.Errorf("a server without a database is ready: %d %s", status, text)
					}
					if status, _, text := balancer(t, nodes[1],
						"/readyz"); status != http.StatusOK {
						t.Errorf("the other server: %d %s", status, text)
					}
				}
				walls[0].heal()
				becomes(t, nodes[0], http.StatusOK, time.Minute)
			}
			if err := c.Kill(); err != nil {
				t.Fatal(err)
			}
			for _, n := range nodes {
				becomes(t, n, http.StatusServiceUnavailable, 10*time.Second)
			}
			if err := c.Run(); err != nil {
				t.Fatal(err)
			}
			for _, n := range nodes {
				becomes(t, n, http.StatusOK, time.Minute)
				n.alive()
			}
		})
	}
}
