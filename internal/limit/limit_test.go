package limit_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/limit"
)

func TestAnswers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("a", 4<<10))
	}))
	defer s.Close()
	for most, taken := range map[int64]bool{4 << 10: true, 4<<10 - 1: false} {
		response, err := (&http.Client{Transport: limit.Answers(http.DefaultTransport,
			most)}).Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
		if tooLong := new(http.MaxBytesError); (err == nil) != taken ||
			err != nil && !errors.As(err, &tooLong) {
			t.Errorf("4 KiB where %d bytes are allowed: %v", most, err)
		}
	}
}

func TestKeys(t *testing.T) {
	for bits, taken := range map[uint]bool{2048: true, 8192: true, 8193: false, 100_000: false} {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		if err := limit.Key(&rsa.PublicKey{N: n, E: 65537}); (err == nil) != taken {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil || limit.PrivateKey(der) != nil || limit.PrivateKey(make([]byte, 8<<10)) != nil ||
		limit.PrivateKey(make([]byte, 8<<10+1)) == nil {
		t.Errorf("private keys: %v", err)
	}
}
