package test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	kiota "github.com/microsoft/kiota-http-go"
	wire "github.com/microsoft/kiota-serialization-json-go"
)

// TestKiota uses the library on which Microsoft's SDKs for Go stand, as the code that is generated
// for them does: reading a device, running the action (its body comes compressed), and an error.
func TestKiota(t *testing.T) {
	s, phone := clientSite(t)
	var known struct{ Value []payload }
	s.must("GET", "/api/devices/"+s.ids[phone]+"/payloads", nil, &known)
	adapter, faults := s.kiota()
	request := func(method abstractions.HttpMethod,
		template string) *abstractions.RequestInformation {
		return abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(method,
			"{+baseurl}"+template,
			map[string]string{"id": s.ids[phone]})
	}
	read := func() *managedDevice {
		t.Helper()
		r := request(abstractions.GET, "/deviceManagement/managedDevices/{id}{?%24select}")
		r.QueryParameters = map[string]string{"%24select": "id,deviceName,deviceActionResults"}
		got, err := adapter.Send(t.Context(), r, parse[managedDevice], faults)
		if err != nil {
			t.Fatal(err)
		}
		return got.(*managedDevice)
	}
	if d := read(); d.id != s.ids[phone] || d.name == "" || len(d.results) != 0 {
		t.Fatalf("read %+v", d)
	}
	act := func(set ...payload) error {
		t.Helper()
		r := request(abstractions.POST, "/deviceManagement/managedDevices/{id}/syncPayloads")
		body := &syncPayloadsBody{set}
		if err := r.SetContentFromParsable(t.Context(), adapter, "application/json",
			body); err != nil {
			t.Fatal(err)
		}
		return adapter.SendNoContent(t.Context(), r, faults)
	}
	if err := act(known.Value[:2]...); err != nil {
		t.Fatal(err)
	}
	s.eventually("the action is done", func() bool {
		d := read()
		return len(d.results) == 1 && d.results[0].state == "done"
	})
	for _, p := range read().results[0].payloads {
		if p.status != "removed" || p.intent != "remove" || p.code != 0 {
			t.Errorf("ended as %+v", p)
		}
	}
	var fault *odataError
	if err := act(payload{ID: "none", Type: "application"}); !errors.As(err, &fault) ||
		fault.ResponseStatusCode != http.StatusBadRequest ||
		fault.code != "BadRequest" || fault.requestID == "" {
		t.Errorf("a payload that is not assigned: %v, %+v", err, fault)
	}
}

// kiota is the library as generated code uses it, with what errors are read into.
func (s *site) kiota() (*kiota.NetHttpRequestAdapter, abstractions.ErrorMappings) {
	s.Helper()
	adapter,
		err := kiota.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		authentication.NewBaseBearerTokenAuthenticationProvider(bearer{s.token}),
		wire.NewJsonParseNodeFactory(),
		wire.NewJsonSerializationWriterFactory(),
		&http.Client{Transport: kiota.NewCustomTransportWithParentTransport(s.transport())})
	if err != nil {
		s.Fatal(err)
	}
	adapter.SetBaseUrl(s.url + "/beta")
	return adapter, abstractions.ErrorMappings{"XXX": parse[odataError]}
}

type bearer struct{ token string }

func (b bearer) GetAuthorizationToken(context.Context, *url.URL, map[string]any) (string, error) {
	return b.token, nil
}

func (bearer) GetAllowedHostsValidator() *authentication.AllowedHostsValidator {
	v, err := authentication.NewAllowedHostsValidatorErrorCheck(nil)
	if err != nil {
		panic(err) // of no hosts none is malformed
	}
	return v
}

// The models, as the generator writes them but for their length.

type managedDevice struct {
	id, name string
	results  []*actionResult
}

type actionResult struct {
	state    string
	payloads []*payloadResult
}

type payloadResult struct {
	intent, status string
	code           int64
}

type odataError struct {
	abstractions.ApiError
	code, requestID string
}

type syncPayloadsBody struct{ set []payload }

// parse makes what a node is read into.
func parse[T any, P interface {
	*T
	serialization.Parsable
}](serialization.ParseNode) (serialization.Parsable, error) {
	return P(new(T)), nil
}

type fields = map[string]func(serialization.ParseNode) error

func text(to *string) func(serialization.ParseNode) error {
	return func(n serialization.ParseNode) error {
		v, err := n.GetStringValue()
		if v != nil {
			*to = *v
		}
		return err
	}
}

func list[T any, P interface {
	*T
	serialization.Parsable
}](to *[]*T) func(serialization.ParseNode) error {
	return func(n serialization.ParseNode) error {
		found, err := n.GetCollectionOfObjectValues(parse[T, P])
		for _, one := range found {
			*to = append(*to, (*T)(one.(P)))
		}
		return err
	}
}

func (d *managedDevice) GetFieldDeserializers() fields {
	return fields{"id": text(&d.id), "deviceName": text(&d.name),
		"deviceActionResults": list[actionResult](&d.results)}
}

func (r *actionResult) GetFieldDeserializers() fields {
	return fields{"actionState": text(&r.state),
		"deviceActionPayloads": list[payloadResult](&r.payloads)}
}

func (r *payloadResult) GetFieldDeserializers() fields {
	return fields{"intent": text(&r.intent), "status": text(&r.status),
		"errorCode": func(n serialization.ParseNode) error {
			v, err := n.GetInt64Value()
			if v != nil {
				r.code = *v
			}
			return err
		}}
}

func (e *odataError) GetFieldDeserializers() fields {
	return fields{"error": func(n serialization.ParseNode) error {
		code, err := n.GetChildNode("code")
		if err != nil {
			return err
		}
		if err := text(&e.code)(code); err != nil {
			return err
		}
		inner, err := n.GetChildNode("innerError")
		if err != nil {
			return err
		}
		id, err := inner.GetChildNode("request-id")
		if err != nil {
			return err
		}
		return text(&e.requestID)(id)
	}}
}

func (b *syncPayloadsBody) GetFieldDeserializers() fields { return nil }

func (b *syncPayloadsBody) Serialize(w serialization.SerializationWriter) error {
	items := make([]serialization.Parsable, len(b.set))
	for i := range b.set {
		items[i] = &namedPayload{b.set[i]}
	}
	return w.WriteCollectionOfObjectValues("deviceActionPayloads", items)
}

type namedPayload struct{ payload }

func (p *namedPayload) GetFieldDeserializers() fields { return nil }

func (p *namedPayload) Serialize(w serialization.SerializationWriter) error {
	return errors.Join(w.WriteStringValue("payloadId", &p.ID),
		w.WriteStringValue("payloadType", &p.Type))
}

func (*managedDevice) Serialize(serialization.SerializationWriter) error { return nil }
func (*actionResult) Serialize(serialization.SerializationWriter) error  { return nil }
func (*payloadResult) Serialize(serialization.SerializationWriter) error { return nil }
func (*odataError) Serialize(serialization.SerializationWriter) error    { return nil }
