package server_test

import (
	"bytes"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
	"github.com/smallstep/scep"

	"github.com/syncpayloads/syncpayloads/internal/cms/cmstest"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// What anybody may send, without being known, costs no more than its length: in memory, in time,
// and in what the server does for others.
func TestBombsFromStrangers(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	w := &wire{t: t, base: s.URL(), http: browser(t, trust(t, s)), udid: "stranger"}
	message := w.message(map[string]any{"Status": "Idle"})
	const operation = "/scep?operation=PKIOperation"
	for name, bomb := range strangersBombs(t, w) {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			encoded := base64.StdEncoding.EncodeToString(bomb)
			for way, send := range map[string]func() (int, []byte){
				"POST /scep": func() (int, []byte) { return w.do("POST", operation, nil, bomb) },
				"GET /scep": func() (int, []byte) {
					return w.do("GET", operation+"&message="+url.QueryEscape(encoded), nil, nil)
				},
				"Mdm-Signature": func() (int, []byte) {
					return w.do("PUT", "/mdm", map[string]string{"Mdm-Signature": encoded}, message)
				},
			} {
				end := cost.Bound(t, 12<<20, time.Second)
				status, answer := send()
				if end(); status < 400 || status >= 500 {
					reply, err := scep.ParsePKIMessage(answer)
					if status != http.StatusOK || err != nil || reply.PKIStatus != scep.FAILURE {
						t.Errorf("%s of %d bytes: status %d, %v: %.100q", way, len(bomb), status,
							err, answer)
					}
				}
			}
		})
	}
	end := cost.Bound(t, 64<<20, 2*time.Second) // what the client sends is in it
	if status, _ := w.do("POST", operation, nil,
		bytes.Repeat([]byte{0x30, 0x80}, 4<<20)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("8 MiB: status %d", status)
	}
	end()
	if status, _ := w.do("GET", "/scep?operation=GetCACaps", nil, nil); status != http.StatusOK {
		t.Errorf("afterwards the server answers %d", status)
	}
}

// strangersBombs are bombs as they are, inside a SCEP message, and inside its envelope.
func strangersBombs(t *testing.T, w *wire) map[string][]byte {
	t.Helper()
	const most = 36 << 10
	all := cmstest.Signatures(most)
	maps.Copy(all, cmstest.Forms(most))
	_, chain := w.do("GET", "/scep?operation=GetCACert", nil, nil)
	authorities, err := scep.CACerts(chain)
	if err != nil {
		t.Fatal(err)
	}
	signer := cmstest.NewSigner()
	for name, bomb := range cmstest.Forms(most / 2) {
		envelope, err := pkcs7.Encrypt(bomb, authorities)
		if err != nil {
			t.Fatal(err)
		}
		all["as envelope: "+name] = cmstest.SCEP(signer, bomb)
		all["in the envelope: "+name] = cmstest.SCEP(signer, envelope)
	}
	return all
}
