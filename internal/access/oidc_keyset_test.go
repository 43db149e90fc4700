package access

import (
	"crypto/rsa"
	"testing"
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
		keys, err := parseKeys(document)
		if err != nil && keys != nil {
			t.Errorf("got %d keys and error %v", len(keys), err)
		}
		for _, key := range keys {
			if !key.IsPublic() || key.Use != "" && key.Use != "sig" {
				t.Errorf("key %q is not public or not for signatures, but %T for %q", key.KeyID, key.Key, key.Use)
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
