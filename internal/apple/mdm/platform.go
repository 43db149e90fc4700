package mdm

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist/tolerant"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// deviceFacts are what Authenticate and DeviceInformation tell of a device, under the same names
// (Apple, "AuthenticateRequest" and "DeviceInformationResponse.QueryResponses").
type deviceFacts struct {
	DeviceName   string
	OSVersion    string
	ProductName  string // iPhone15,2
	ModelName    string // iPhone
	Model        string // an order number on iOS, Mac14,3 on macOS
	SerialNumber string
	WiFiMAC      string
	IsSupervised *bool
}

// factQueries are the Queries of DeviceInformation that answer deviceFacts.
var factQueries = func() (names []string) {
	for field := range reflect.TypeFor[deviceFacts]().Fields() {
		names = append(names, field.Name)
	}
	return names
}()

// factMembers are deviceFacts as members of a property list.
var factMembers = func() tolerant.Wanted {
	all := tolerant.Wanted{}
	for _, name := range factQueries {
		all[name] = nil
	}
	return all
}()

// readFacts reads Authenticate or QueryResponses. A value of an unexpected kind counts as not
// given.
func readFacts(d tolerant.Dict) *deviceFacts {
	f := new(deviceFacts)
	for field, value := range reflect.ValueOf(f).Elem().Fields() {
		if value.Kind() == reflect.String {
			value.SetString(text(d, field.Name))
		}
	}
	if supervised, ok := d["IsSupervised"].(bool); ok {
		f.IsSupervised = &supervised
	}
	return f
}

func (f *deviceFacts) facts() *fleet.Facts {
	platform, _ := f.platform()
	return &fleet.Facts{Device: f.described(platform), Supervised: f.IsSupervised}
}

// described is the device as it tells of itself.
func (f *deviceFacts) described(platform fleet.Platform) fleet.Device {
	return fleet.Device{Name: f.DeviceName, Model: f.model(), OSVersion: f.OSVersion,
		SerialNumber: f.SerialNumber, WiFiMAC: f.WiFiMAC, Platform: platform}
}

func (f *deviceFacts) model() string {
	for _, m := range []string{f.ProductName, f.ModelName, f.Model} {
		if m != "" {
			return m
		}
	}
	return ""
}

const (
	whyUserEnrollment = "enrolled by User Enrollment: a personal device keeps its apps and profiles out of reach of this action"
	whyOtherPlatform  = "runs neither iOS, iPadOS, macOS nor tvOS"
)

// device is the managed device that authenticates, and why it cannot do the action, empty if it
// can.
func (f *deviceFacts) device(s sender) (d fleet.Device, unsupported string) {
	platform, known := f.platform()
	if platform == "" {
		platform = platformOfUDID(s.id)
	}
	d = f.described(platform)
	d.Manufacturer = "Apple"
	d.UDID = s.id
	d.UserEnrolled = s.user
	for _, name := range []string{f.SerialNumber, s.id} {
		if d.Name == "" {
			d.Name = name
		}
	}
	switch {
	case s.user:
		unsupported = whyUserEnrollment
	case !known:
		unsupported = whyOtherPlatform
	}
	return d, unsupported
}

// productPlatforms tells platforms by how the product type, or else the model's name, begins.
var productPlatforms = []struct {
	prefix   string
	platform fleet.Platform
}{
	{"iPhone", fleet.IOS}, {"iPod", fleet.IOS}, {"iPad", fleet.IPadOS}, {"AppleTV", fleet.TVOS},
	{"Apple TV", fleet.TVOS},
	{"Mac", fleet.MacOS}, {"iMac", fleet.MacOS}, {"VirtualMac", fleet.MacOS},
	{"Xserve", fleet.MacOS},
	{"Apple Virtual Machine", fleet.MacOS},
}

// platform tells the platform, empty if the device did not say what it is. known is false if it is
// one that this server does not manage, such as a watch.
func (f *deviceFacts) platform() (platform fleet.Platform, known bool) {
	said := false
	for _, name := range []string{f.ProductName, f.ModelName, f.Model} {
		for _, p := range productPlatforms {
			if strings.HasPrefix(name, p.prefix) {
				return p.platform, true
			}
		}
		said = said || name != ""
	}
	return "", !said
}

var uuidPattern = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// platformOfUDID guesses from the form of a UDID: a Mac's is its hardware UUID, every other
// device's is not a UUID. DeviceInformation corrects a wrong guess.
func platformOfUDID(udid string) fleet.Platform {
	if uuidPattern.MatchString(udid) {
		return fleet.MacOS
	}
	return fleet.IOS
}
