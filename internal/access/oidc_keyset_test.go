package access

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// FuzzParseKeys needs keys that no library publishes, and so calls the parser itself.
func FuzzParseKeys(f *testing.F) {
	for _, document := range []string{
		`{"keys":[]}`, `{}`, `{"keys":null}`, `[]`, `{"keys":[null,7,{}]}`,
		`{"keys":[{"kty":"oct","kid":"secret","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`,
		`{"keys":[{"kty":"RSA","kid":"short","n":"AQAB","e":"AQAB"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
			{"kty":"OKP","crv":"Ed448","x":"AA"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
			"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","x5c":["AA"]}]}`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		defer cost.Input(t)()
		keys, err := parseKeys(document)
		if err != nil && keys != nil {
			t.Errorf("got %d keys and error %v", len(keys), err)
		}
		for _, key := range keys {
			if !key.IsPublic() || key.Use != "" && key.Use != "sig" {
				t.Errorf("key %q is not public or not for signatures, but %T for %q", key.KeyID,
					key.Key, key.Use)
			}
			if public, ok := key.Key.(*rsa.PublicKey); ok && public.N.BitLen() < 2048 {
				t.Errorf("key %q has %d bits", key.KeyID, public.N.BitLen())
			}
		}
	})
}

// The one usable key among others is found, whatever the others are.
func TestParseKeysKeepsTheUsable(t *testing.T) {
	keys, err := parseKeys([]byte(`{"keys":[{"kty":"OKP","crv":"Ed448","x":"AA"},{"kty":"new"},{"kid":7},
		{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
		{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}`))
	if err != nil || len(keys) != 1 || keys[0].KeyID != "e" {
		t.Errorf("got %+v and error %v, want the key e", keys, err)
	}
}

// Whoever sends a token has it tried with the issuer's keys: there are only so many, and none takes
// long.
func TestParseKeysIsBounded(t *testing.T) {
	const usable = `{"kty":"OKP","crv":"Ed25519","kid":"e","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	set := func(n int, more string) []byte {
		return []byte(`{"keys":[` + strings.Repeat(usable+",", n-1) + more + `]}`)
	}
	defer cost.Bound(t, 16<<20, time.Second)()
	if keys, err := parseKeys(set(keysMost, usable)); err != nil || len(keys) != keysMost {
		t.Errorf("%d keys: %d, %v", keysMost, len(keys), err)
	}
	if keys, err := parseKeys(set(keysMost+1, usable)); err == nil || keys != nil {
		t.Errorf("%d keys: %d", keysMost+1, len(keys))
	}
	for bits, want := range map[int]int{4096: 2, 32_768: 1, 100_000: 1} {
		modulus := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, bits/8))
		if keys, err := parseKeys(set(2,
			`{"kty":"RSA","e":"AQAB","n":"`+modulus+`"}`)); err != nil || len(keys) != want {
			t.Errorf("a key of %d bits and another: %d, %v", bits, len(keys), err)
		}
	}
}
