package payload_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// shelf is the catalog that compilers ask.
type shelf map[action.PayloadID]*catalog.Payload

func (s shelf) Payload(_ context.Context, id action.PayloadID) (*catalog.Payload, error) {
	if p := s[id]; p != nil {
		return p, nil
	}
	return nil, catalog.ErrNotFound
}

func (shelf) RevisionUsed(context.Context, *catalog.Content, string) (bool, error) {
	return false, nil
}

// tester is a test, or one of the many of a property test.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Fatal(args ...any)
	Error(args ...any)
}

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// guid is the id of the n-th payload.
func guid(n int) action.PayloadID {
	return action.PayloadID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n))
}

// forms are Android's, put together once.
var forms = sync.OnceValue(func() *catalog.Forms { return catalog.MustForms(payload.Forms()) })

// compile makes the content of a type's properties.
func compile(odataType, properties string, id action.PayloadID, on shelf) (*catalog.Content, error) {
	form := forms().Of(odataType)
	if form == nil {
		return nil, errors.New("no form of " + odataType)
	}
	props, err := catalog.ParseProperties(json.RawMessage(properties))
	if err != nil {
		return nil, err
	}
	return form.Compiler.Compile(context.Background(), form,
		&catalog.Draft{ID: id, Properties: props, Changed: props}, on)
}

// item is the n-th payload, as the channel has it.
func item(t tester, n int, odataType, properties string, on ...shelf) payload.Item {
	t.Helper()
	all := shelf{}
	for _, s := range on {
		all = s
	}
	c, err := compile(odataType, properties, guid(n), all)
	if err != nil {
		t.Fatalf("%s %s: %v", odataType, properties, err)
	}
	form := forms().Of(odataType)
	return payload.Item{Spec: action.Spec{ID: guid(n), Type: form.Collection.Kind,
		Identifier: c.Identifier, Revision: c.Revision, Version: 1,
		DisplayName: fmt.Sprintf("P%d", n)},
		Content: c.Installed, Created: begin.Add(time.Duration(n) * time.Hour)}
}

// refused is the property that an input is refused for; empty: it is taken.
func refused(t *testing.T, odataType, properties string, on shelf) string {
	t.Helper()
	_, err := compile(odataType, properties, guid(1), on)
	var wrong *invalid.Input
	if err != nil && !errors.As(err, &wrong) {
		t.Fatalf("%s %s: %v is no *invalid.Input", odataType, properties, err)
	}
	if err == nil {
		return ""
	}
	return wrong.Property + ": " + wrong.Reason
}

// rootCertificate is a certificate that signed itself, in base64.
var rootCertificate = sync.OnceValue(func() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: begin, NotAfter: begin.AddDate(10, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
})

// everyAuthority is a catalog in which every id is a trusted root certificate's.
func everyAuthority() shelf {
	all := shelf{}
	for n := range 9 {
		all[guid(n)] = &catalog.Payload{ID: guid(n), ODataType: payload.AndroidRootCertificate}
	}
	return all
}

// encoded is base64 of a text, as a JSON string.
func encoded(text string) string {
	return `"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"`
}
