package simulator_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2/google"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator/discovery"
)

// Google's client for Node finds the service as its own: set-up, policies, tokens, pages, errors
// and the quota.
func TestGooglesClientForJavaScript(t *testing.T) {
	const devices, quota = 23, 100
	w := newWorld(t, simulator.Options{RequireToken: true, Quota: quota})
	helper := http.NewServeMux()
	helper.Handle("/", discovery.Wrap(t, w.service))
	helper.HandleFunc("/enroll", func(answer http.ResponseWriter, r *http.Request) {
		for i := range devices {
			d, err := w.service.Enroll(r.FormValue("token"), fmt.Sprint("S", i),
				simulator.DeviceOptions{})
			if err == nil {
				err = d.Sync()
			}
			if err != nil {
				t.Error(err)
			}
		}
		answer.WriteHeader(http.StatusNoContent)
	})
	helper.HandleFunc("/spend", func(answer http.ResponseWriter, _ *http.Request) {
		for range quota {
			w.emm.Enterprises.Get(w.enterprise).Do() // the last ones are refused
		}
		answer.WriteHeader(http.StatusNoContent)
	})
	server := httptest.NewServer(helper)
	defer server.Close()
	file, err := w.service.ServiceAccount(server.URL, "")
	w.must(err)
	w.authenticate("")
	account, err := google.JWTConfigFromJSON(file,
		"https://www.googleapis.com/auth/androidmanagement")
	w.must(err)
	token, err := account.TokenSource(context.Background()).Token()
	w.must(err)
	w.node("androidmanagement.mjs", "ANDROID_URL="+server.URL+"/",
		"ANDROID_TOKEN="+token.AccessToken, "PROJECT="+project, fmt.Sprint("DEVICES=", devices))
}

// node runs a program of test/clients/js, which says "ok" at its end.
func (w *world) node(program string, environment ...string) {
	w.Helper()
	folder := filepath.Join("..", "..", "..", "test", "clients", "js")
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@googleapis")); err != nil {
		w.Fatal("the clients are not installed: run `make tools`")
	}
	command := exec.CommandContext(w.Context(), "node", program)
	command.Dir = folder
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
		w.Fatalf("node %s: %v\n%s", program, err, out)
	}
}
