package main

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/uuid"
)

const (
	peerModule  = "github.com/micromdm/nanomdm"
	peerVersion = "v0.9.0"
	peerKey     = "bench" // of its API
)

// peer is a running NanoMDM.
type peer struct {
	*program
	*bench
	address string
}

// startPeer starts NanoMDM with a storage: pgsql, file or inmem.
func (b *bench) startPeer(ctx context.Context, storage string) (*peer, error) {
	dir, err := os.MkdirTemp(b.dir, "peer-")
	if err != nil {
		return nil, err
	}
	caFile := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: b.ca.certificate.Raw}), 0o600); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args := []string{filepath.Join(b.dir, "nanomdm"), "-listen", address, "-api", peerKey, "-ca",
		caFile, "-storage", storage}
	switch storage {
	case "pgsql":
		database, err := b.peerDatabase(ctx)
		if err != nil {
			return nil, err
		}
		args = append(args, "-storage-dsn", database)
	case "file":
		args = append(args, "-storage-dsn", filepath.Join(dir, "db"), "-storage-options",
			"enable_deprecated=1")
	default:
		args = append(args, "-storage-dsn", "")
	}
	p := &peer{bench: b, address: address}
	if p.program, err = start(dir, "nanomdm", nil, args...); err != nil {
		return nil, err
	}
	if err := p.untilListening(ctx, address); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// peerDatabase makes a database with NanoMDM's tables.
func (b *bench) peerDatabase(ctx context.Context) (string, error) {
	text, err := output(ctx, b.dir, nil, "go", "mod", "download", "-json",
		peerModule+"@"+peerVersion)
	if err != nil {
		return "", err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal([]byte(text), &module); err != nil {
		return "", err
	}
	database, err := b.database(ctx, "nanomdm")
	if err != nil {
		return "", err
	}
	return database, b.runFile(ctx, database,
		filepath.Join(module.Dir, "storage", "pgsql", "schema.sql"))
}

func (p *peer) target() target                  { return target{address: p.address} }
func (p *peer) identities() []*x509.Certificate { return p.issued }
func (p *peer) pid() int                        { return p.command.Process.Pid }
func (p *peer) close() error                    { return p.stop(syscall.SIGTERM) }

// enrolled has nothing to do: NanoMDM knows devices by what they are called in the API.
func (p *peer) enrolled(context.Context) error { return nil }

// settled has nothing to check: NanoMDM keeps no state of what a device has.
func (p *peer) settled(context.Context) error { return nil }

// idsInCall is how many devices one call of NanoMDM's API names; they are in the URL.
const idsInCall = 500

// queue gives every device one command for each profile.
func (p *peer) queue(ctx context.Context, install bool) error {
	for from := 0; from < len(p.devices); from += idsInCall {
		var ids []string
		for _, d := range p.devices[from:min(len(p.devices), from+idsInCall)] {
			ids = append(ids, d.udid)
		}
		for i := range p.profiles {
			if err := p.enqueue(ctx, ids, p.profiles[i].command(install)); err != nil {
				return err
			}
		}
	}
	return nil
}

// command is the property list of an InstallProfile or RemoveProfile, with the same members as our
// server's.
func (p *profile) command(install bool) string {
	inner := "<key>RequestType</key><string>RemoveProfile</string><key>Identifier</key><string>" +
		p.identifier + "</string>"
	if install {
		inner = "<key>RequestType</key><string>InstallProfile</string><key>Payload</key><data>" +
			base64.StdEncoding.EncodeToString(p.file) + "</data>"
	}
	return plistHead + "<key>CommandUUID</key><string>" + uuid.NewString() +
		"</string><key>Command</key><dict>" + inner + "</dict>" + plistEnd
}

func (p *peer) enqueue(ctx context.Context, ids []string, command string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut,
		"http://"+p.address+"/v1/enqueue/"+strings.Join(ids, ",")+"?nopush=1",
		strings.NewReader(command))
	if err != nil {
		return err
	}
	request.SetBasicAuth("nanomdm", peerKey)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // it has been read
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("NanoMDM's API: HTTP %d: %.500s", answer.StatusCode, text)
	}
	return err
}
