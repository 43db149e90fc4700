package msgraph_test

import (
	"context"
	"os"
	"strings"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	"github.com/microsoftgraph/msgraph-beta-sdk-go/models"
	"github.com/microsoftgraph/msgraph-beta-sdk-go/models/odataerrors"
)

// mostOfEach is how many things of a list are read one by one.
const mostOfEach = 30

// unbuilt are the collections whose request builders are not compiled, since their packages are the
// SDK's largest: the models alone read them.
var unbuilt = map[string]serialization.ParsableFactory{
	"groups":                                     models.CreateGroupCollectionResponseFromDiscriminatorValue,
	"groups/{id}":                                models.CreateGroupFromDiscriminatorValue,
	"groups/{id}/members":                        models.CreateDirectoryObjectCollectionResponseFromDiscriminatorValue,
	"groups/{id}/transitiveMembers":              models.CreateDirectoryObjectCollectionResponseFromDiscriminatorValue,
	"organization":                               models.CreateOrganizationCollectionResponseFromDiscriminatorValue,
	"organization/{id}":                          models.CreateOrganizationFromDiscriminatorValue,
	"subscriptions":                              models.CreateSubscriptionCollectionResponseFromDiscriminatorValue,
	"users/{user}/mobileAppIntentAndStates":      models.CreateMobileAppIntentAndStateCollectionResponseFromDiscriminatorValue,
	"users/{user}/mobileAppIntentAndStates/{id}": models.CreateMobileAppIntentAndStateFromDiscriminatorValue,
}

// unread are the routes that the SDK is not asked for, and why.
var unread = map[string]string{
	"$metadata":                            "no JSON",
	"me":                                   "a token is nobody's",
	"groups/$count":                        "no object",
	"groups/{id}/transitiveMembers/$count": "no object",
	"groups/{id}/members/$count":           "no object",
	"groups/{id}/members/$ref":             "the SDK wants texts there, against OData",
	"subscriptions/{id}":                   "there are none",
}

// noUser is the one user that devices have.
const noUser = "00000000-0000-0000-0000-000000000000"

// readAll reads every address of which docs/api.md says that it can be read.
func (o *outside) readAll() {
	o.Helper()
	page, err := os.ReadFile(root + "/docs/api.md")
	if err != nil {
		o.Fatal(err)
	}
	routes := readRoutes(string(page))
	if len(routes) < 50 {
		o.Fatalf("docs/api.md has %d routes that can be read", len(routes))
	}
	for _, route := range routes {
		if _, skipped := unread[route]; skipped {
			continue
		}
		for _, path := range o.filled(route) {
			o.read(route, path)
		}
	}
}

// filled are the addresses of a route: with each id of the lists that it goes through.
func (o *outside) filled(route string) []string {
	paths := []string{""}
	known := ""
	for segment := range strings.SplitSeq(route, "/") {
		var longer []string
		for _, path := range paths {
			switch {
			case segment == "{user}":
				longer = append(longer, path+"/"+noUser)
			case strings.HasPrefix(segment, "{"):
				for _, id := range o.read(known, path[1:]) {
					longer = append(longer, path+"/"+id)
				}
			default:
				longer = append(longer, path+"/"+segment)
			}
		}
		paths = longer
		known = strings.TrimPrefix(known+"/"+segment, "/")
	}
	for i := range paths {
		paths[i] = paths[i][1:]
	}
	return paths
}

// read reads an address by the SDK, all of its pages if it is a list, and returns the ids of some
// that it lists.
func (o *outside) read(route, path string) []string {
	o.Helper()
	if !o.wasRead[path] {
		o.wasRead[path] = true
		ids, err := o.pages(route, path)
		if err != nil {
			o.Errorf("reading %s: %s", path, reason(err))
		}
		o.lists[path] = ids
	}
	return o.lists[path][:min(len(o.lists[path]), mostOfEach)]
}

func (o *outside) pages(route, path string) (ids []string, err error) {
	o.Helper()
	b, err := o.reader(route, path)
	if err != nil {
		return nil, err
	}
	for {
		answer, err := b(o.Context())
		if err != nil {
			return ids, err
		}
		o.reads++
		o.compare(path, answer)
		raw, _ := o.heard.raw().(map[string]any)
		elements, _ := raw["value"].([]any)
		for _, element := range elements {
			object, _ := element.(map[string]any)
			if id, ok := object["id"].(string); ok {
				ids = append(ids, id)
			}
		}
		list, ok := answer.(collection)
		if !ok || list.GetOdataNextLink() == nil {
			return ids, nil
		}
		if b, err = o.following(route, path, *list.GetOdataNextLink()); err != nil {
			return ids, err
		}
	}
}

// reading reads an address once.
type reading func(context.Context) (any, error)

// reader reads an address by the SDK's builder, or by its models alone.
func (o *outside) reader(route, path string) (reading, error) {
	if as, ok := unbuilt[route]; ok {
		return o.modelReader("{+baseurl}/"+path, as), nil
	}
	b, err := o.at(path)
	return func(ctx context.Context) (any, error) { return b.send(ctx, "Get", nil) }, err
}

// following reads the page behind one.
func (o *outside) following(route, path, address string) (reading, error) {
	if as, ok := unbuilt[route]; ok {
		return o.modelReader(strings.ReplaceAll(address, "$", "%24"), as), nil
	}
	b, err := o.at(path)
	if err != nil {
		return nil, err
	}
	next := b.page(address)
	return func(ctx context.Context) (any, error) { return next.send(ctx, "Get", nil) }, nil
}

func (o *outside) modelReader(template string, as serialization.ParsableFactory) reading {
	return func(ctx context.Context) (any, error) {
		r := abstractions.NewRequestInformationWithMethodAndUrlTemplateAndPathParameters(
			abstractions.GET, template, map[string]string{"baseurl": o.URL + "/beta"})
		return o.adapter.Send(ctx, r, as, abstractions.ErrorMappings{
			"XXX": odataerrors.CreateODataErrorFromDiscriminatorValue})
	}
}

// reason is what the server said is wrong, which the SDK's errors keep inside.
func reason(err error) string {
	if fault, ok := err.(*odataerrors.ODataError); ok && fault.GetErrorEscaped() != nil &&
		fault.GetErrorEscaped().GetMessage() != nil {
		return *fault.GetErrorEscaped().GetMessage()
	}
	return err.Error()
}
