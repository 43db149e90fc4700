package msgraph_test

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/microsoft/kiota-abstractions-go/serialization"
	"github.com/microsoftgraph/msgraph-beta-sdk-go/deviceappmanagement"
	"github.com/microsoftgraph/msgraph-beta-sdk-go/devicemanagement"
)

// builder is the SDK's request builder of a path: one of its generated types, for each path another.
type builder struct{ reflect.Value }

// at walks from builder to builder as the path goes: a name is a method, an id the argument of the
// method that asks for one.
func (d *demo) at(path string) (builder, error) {
	base := map[string]string{"baseurl": d.URL + "/beta"}
	first, rest, _ := strings.Cut(path, "/")
	var b builder
	switch first {
	case "deviceManagement":
		b.Value = reflect.ValueOf(
			devicemanagement.NewDeviceManagementRequestBuilderInternal(base, d.adapter))
	case "deviceAppManagement":
		b.Value = reflect.ValueOf(
			deviceappmanagement.NewDeviceAppManagementRequestBuilderInternal(base, d.adapter))
	default:
		return b, fmt.Errorf("the SDK's builders of %s are not compiled", first)
	}
	for segment := range strings.SplitSeq(rest, "/") {
		next, ok := b.step(segment)
		if !ok {
			return b, fmt.Errorf("the SDK has no builder of %s in %s", segment, path)
		}
		b = next
	}
	return b, nil
}

// step is the builder of a path that has one more segment.
func (b builder) step(segment string) (next builder, ok bool) {
	name := strings.TrimSuffix(strings.TrimPrefix(segment, "$"), "()")
	if name != "" {
		if m := b.MethodByName(strings.ToUpper(name[:1]) + name[1:]); m.IsValid() &&
			m.Type().NumIn() == 0 {
			return builder{m.Call(nil)[0]}, true
		}
	}
	for i := range b.NumMethod() {
		m := b.Method(i)
		if strings.HasPrefix(b.Type().Method(i).Name, "By") && m.Type().NumIn() == 1 &&
			m.Type().In(0).Kind() == reflect.String {
			return builder{m.Call([]reflect.Value{reflect.ValueOf(segment)})[0]}, true
		}
	}
	return b, false
}

// send calls a method of the builder's: Get, Post, Patch or Delete, with a body where it takes one.
func (b builder) send(ctx context.Context, method string, body any) (any, error) {
	m := b.MethodByName(method)
	if method == "Get" {
		for i := range b.NumMethod() { // the older form answers with a type that is deprecated
			if strings.HasPrefix(b.Type().Method(i).Name, "GetAs") {
				m = b.Method(i)
			}
		}
	}
	if !m.IsValid() {
		return nil, fmt.Errorf("%s has no %s", b.Type(), method)
	}
	arguments := []reflect.Value{reflect.ValueOf(ctx)}
	if body != nil {
		arguments = append(arguments, reflect.ValueOf(body))
	}
	arguments = append(arguments, reflect.Zero(m.Type().In(m.Type().NumIn()-1)))
	results := m.Call(arguments)
	err, _ := results[len(results)-1].Interface().(error)
	if err != nil || len(results) == 1 {
		return nil, err
	}
	return results[0].Interface(), nil
}

// page is the builder of a list's next page.
func (b builder) page(address string) builder {
	return builder{b.MethodByName("WithUrl").Call([]reflect.Value{reflect.ValueOf(address)})[0]}
}

// collection is what the SDK's types of pages have.
type collection interface {
	serialization.Parsable
	GetOdataNextLink() *string
}

var routeRow = regexp.MustCompile("(?m)^\\| GET \\| `/beta/([^`]+)` ")

// readRoutes are the paths that a table of the API's page says can be read, those of lists first.
func readRoutes(page string) (paths []string) {
	for _, row := range routeRow.FindAllStringSubmatch(page, -1) {
		path := strings.ReplaceAll(row[1], "[microsoft.graph.]", "")
		if strings.Contains(path, "(co)managedDevices") {
			paths = append(paths, strings.ReplaceAll(path, "(co)managedDevices",
				"comanagedDevices"))
			path = strings.ReplaceAll(path, "(co)managedDevices", "managedDevices")
		}
		paths = append(paths, path)
	}
	return paths
}
