package limit_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/limit"
)

func TestXML(t *testing.T) {
	const list = "<?xml version=\"1.0\"?><!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://x\"><plist version=\"1.0\"><dict>"
	for name, c := range map[string]struct {
		text  string
		taken bool
	}{
		"nothing":                      {"", true},
		"a property list":              {list + "<key>a</key><true/></dict></plist>", true},
		"a long text":                  {list + "<string>" + strings.Repeat("a > b &amp; ", 1<<16) + "</string>", true},
		"a long comment":               {list + "<!-- " + strings.Repeat("<a>", 1<<18) + " -->", true},
		"long character data":          {list + "<string><![CDATA[" + strings.Repeat("<a>", 1<<18) + "]]></string>", true},
		"100,000 elements":             {list + strings.Repeat("<string>a</string>", 100_000), true},
		"many elements":                {list + strings.Repeat("<true/>", 1<<17), false},
		"many attributes":              {list + "<a " + strings.Repeat("a=\"\" ", 1<<16) + ">", false},
		"many attributes with >":       {list + "<a " + strings.Repeat("a=\">\" ", 1<<16) + ">", false},
		"many attributes, other marks": {list + "<a " + strings.Repeat("a='\">' ", 1<<16) + ">", false},
		"many in an end":               {list + "</a " + strings.Repeat("a ", 1<<16) + ">", false},
		"after a comment":              {"<!-- a -->" + strings.Repeat("<true/>", 1<<18), false},
		"after character data":         {"<![CDATA[ a ]]>" + strings.Repeat("<true/>", 1<<18), false},
		"a short comment":              {"<!-->" + strings.Repeat("<true/>", 1<<18) + "-->", true},
	} {
		end := cost.Bound(t, 8<<20, time.Second) // what was allocated shortly before may count, too
		if err := limit.XML([]byte(c.text)); (err == nil) != c.taken {
			t.Errorf("%s: %v", name, err)
		}
		end()
	}
}

// What is taken has no more elements and attributes than are allowed, as Go's own reader counts them.
func FuzzXML(f *testing.F) {
	for _, text := range []string{"<a>", "<!-->-->", "<![CDATA[]]>", "<a b='>' c=\"'\"/>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "<?a?>", "</a>"} {
		f.Add(text, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, times uint8) {
		defer cost.Input(t)()
		text = strings.Repeat(text, 1+int(times)*64)
		if len(text) > 1<<20 || limit.XML([]byte(text)) != nil {
			return
		}
		elements := 0
		for d := xml.NewDecoder(strings.NewReader(text)); ; {
			token, err := d.Token()
			if err != nil {
				break
			}
			if start, ok := token.(xml.StartElement); ok {
				if elements++; elements > 1<<17 || len(start.Attr) > 512 {
					t.Fatalf("element %d with %d attributes was taken", elements, len(start.Attr))
				}
			}
		}
	})
}

func TestAnswers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("a", 4<<10))
	}))
	defer s.Close()
	for most, taken := range map[int64]bool{4 << 10: true, 4<<10 - 1: false} {
		response, err := (&http.Client{Transport: limit.Answers(http.DefaultTransport, most)}).Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
		if tooLong := new(http.MaxBytesError); (err == nil) != taken || err != nil && !errors.As(err, &tooLong) {
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
	if err != nil || limit.PrivateKey(der) != nil || limit.PrivateKey(make([]byte, 8<<10)) != nil || limit.PrivateKey(make([]byte, 8<<10+1)) == nil {
		t.Errorf("private keys: %v", err)
	}
}
