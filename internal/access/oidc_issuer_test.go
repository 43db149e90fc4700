package access_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The test binary is also the identity provider: run with this variable set, it serves one, and
// takes orders on its standard input.
const issuerVariable = "SYNCPAYLOADS_TEST_ISSUER"

func TestMain(m *testing.M) {
	if os.Getenv(issuerVariable) == "" {
		os.Exit(m.Run())
	}
	if err := serveIssuer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// order is what the test has the identity provider do. The first is serve.
type order struct {
	Do         string
	Address    string // to serve at
	Chain, Own []byte // serve with this certificate and its key, PEM
	Key        string // id of the key to publish, withdraw or sign with
	Algorithm  jose.SignatureAlgorithm
	Use        string                    // of the key to publish; "sig" if empty
	Bits       int                       // of its modulus; 2048 if 0
	Algorithms []jose.SignatureAlgorithm // to name in the metadata
	Header     map[string]any            // to add to a token's; nil removes a member
	Payload    []byte                    // to sign
}

type reply struct {
	Address, Token string
	Fetches        int
	Err            string
}

// serveIssuer is the whole life of the process: it ends with its standard input.
func serveIssuer(in io.Reader, out io.Writer) error {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	orders, replies := json.NewDecoder(in), json.NewEncoder(out)
	var s *issuerStorage
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var r reply
		var err error
		if o.Do == "serve" {
			s, err = listen(o)
			if err == nil {
				r.Address = s.address
			}
		} else {
			r, err = s.obey(o)
		}
		if err != nil {
			r.Err = err.Error()
		}
		if err := replies.Encode(r); err != nil {
			return err
		}
	}
}

func listen(o order) (*issuerStorage, error) {
	certificate, err := tls.X509KeyPair(o.Chain, o.Own)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Address)
	if err != nil {
		return nil, err
	}
	s := &issuerStorage{
		address: listener.Addr().String(),
		algorithms: []jose.SignatureAlgorithm{"none", jose.HS256, jose.RS256, jose.ES256,
			jose.EdDSA},
	}
	provider, err := op.NewProvider(&op.Config{}, s, op.StaticIssuer("https://"+s.address))
	if err != nil {
		return nil, err
	}
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" || strings.HasPrefix(r.URL.Path, "/.well-known/") {
			s.fetches.Add(1)
			s.held.RLock()
			defer s.held.RUnlock()
		}
		provider.ServeHTTP(w, r)
	})
	server := &http.Server{Handler: counted,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	go func() { _ = server.ServeTLS(listener, "", "") }() // until the process ends
	return s, nil
}

func (s *issuerStorage) obey(o order) (reply, error) {
	if o.Do == "idToken" {
		ctx := op.ContextWithIssuer(context.Background(), "https://"+s.address)
		token, err := op.CreateIDToken(ctx, "https://"+s.address, signIn{}, time.Minute,
			string(o.Payload), "", s, reporter{})
		return reply{Token: token}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch o.Do {
	case "hold": // answers, until release
		s.held.Lock()
		return reply{}, nil
	case "release":
		s.held.Unlock()
		return reply{}, nil
	case "publish":
		k, err := newIssuerKey(o.Key, o.Algorithm, cmp.Or(o.Bits, 2048))
		k.use = cmp.Or(o.Use, "sig")
		s.keys = append(s.keys, k)
		return reply{}, err
	case "withdraw":
		s.keys = slices.DeleteFunc(s.keys, func(k issuerKey) bool { return k.id == o.Key })
		return reply{}, nil
	case "algorithms":
		s.algorithms = o.Algorithms
		return reply{}, nil
	case "fetches":
		return reply{Fetches: int(s.fetches.Load())}, nil
	case "sign":
		i := slices.IndexFunc(s.keys, func(k issuerKey) bool { return k.id == o.Key })
		if i < 0 {
			return reply{}, fmt.Errorf("no key %q", o.Key)
		}
		token, err := signWith(s.keys[i].private, cmp.Or(o.Algorithm, s.keys[i].algorithm), o.Key,
			o.Header, o.Payload)
		return reply{Token: token}, err
	}
	return reply{}, fmt.Errorf("no order %q", o.Do)
}

// signWith makes a JWS of any payload. The header's members beat those that would be written
// anyway.
func signWith(
	key any, algorithm jose.SignatureAlgorithm, id string, header map[string]any, payload []byte,
) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT")
	if id != "" {
		options = options.WithHeader("kid", id)
	}
	for name, value := range header {
		if options.ExtraHeaders[jose.HeaderKey(name)] = value; value == nil {
			delete(options.ExtraHeaders, jose.HeaderKey(name))
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}
