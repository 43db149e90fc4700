package tenant

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// ErrNotAllowed is returned for a call that is not on the list. It never leaves this process.
var ErrNotAllowed = errors.New("this server never makes this call to Intune")

// ErrReadOnly is returned for a call that changes a device, by a client that only reads.
var ErrReadOnly = errors.New("the tenant is connected to be read only: nothing is changed there")

// allowed is a call that may be made.
type allowed struct {
	method string
	path   string // below /beta; {id} is one id, in a segment or between quotes
	bucket Bucket
	// changes says that it changes a device.
	changes bool
}

// allowList is all that may ever be asked. The permission for changeAssignments also allows wiping,
// so this list is what stands between a mistake and a fleet: add to it with care.
var allowList = []allowed{
	{http.MethodGet, "deviceManagement/managedDevices", Reads, false},
	{http.MethodGet, "deviceManagement/managedDevices/{id}", Reads, false},
	{http.MethodGet, "deviceManagement/managedDevices/{id}/managedDeviceMobileAppConfigurationStates",
		Reads, false},
	{http.MethodGet, "users('{id}')/mobileAppIntentAndStates('{id}')", Reads, false},
	{http.MethodPost, "deviceManagement/reports/getConfigurationPoliciesReportForDevice", Reports,
		false},
	{http.MethodGet, "deviceManagement/deviceConfigurations", Reads, false},
	{http.MethodGet, "deviceManagement/configurationPolicies", Reads, false},
	{http.MethodGet, "deviceAppManagement/mobileApps", Reads, false},
	{http.MethodGet, "deviceAppManagement/mobileAppConfigurations", Reads, false},
	{http.MethodGet, "deviceManagement/remoteActionAudits", Reads, false},
	{http.MethodPost, "$batch", Reads, false}, // of reads alone: see Batch
	{http.MethodPost, "deviceManagement/managedDevices/{id}/changeAssignments", Writes, true},
	{http.MethodPost, "deviceManagement/managedDevices/{id}/syncDevice", Writes, true},
}

// anID is one id of a device or person as it stands in a path: a GUID, so that it is no name of an
// action.
const anID = `[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}`

var allowPatterns = func() []*regexp.Regexp {
	patterns := make([]*regexp.Regexp, len(allowList))
	for i, a := range allowList {
		patterns[i] = regexp.MustCompile(`^` +
			strings.ReplaceAll(regexp.QuoteMeta(a.path), regexp.QuoteMeta("{id}"), anID) + `$`)
	}
	return patterns
}()

// allow finds a call on the list by its method and its path below /beta, as it is on the wire. The
// error is an ErrNotAllowed or ErrReadOnly that says which call it is.
func (c *Client) allow(method, path string) (*allowed, error) {
	for i := range allowList {
		if a := &allowList[i]; a.method == method && allowPatterns[i].MatchString(path) {
			if a.changes && c.config.ReadOnly {
				return nil, fmt.Errorf("%s /%s: %w", method, path, ErrReadOnly)
			}
			return a, nil
		}
	}
	return nil, fmt.Errorf("%s /%s: %w", method, path, ErrNotAllowed)
}

var (
	wholeID = regexp.MustCompile(`^` + anID + `$`)
	// itemID is an id of a policy or app, which never stands in a path.
	itemID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// pathOf puts ids into a path of the list.
func pathOf(path string, ids ...string) (string, error) {
	for _, id := range ids {
		if !wholeID.MatchString(id) {
			return "", fmt.Errorf("%q is no id of a device or person in Graph", id)
		}
		path = strings.Replace(path, "{id}", id, 1)
	}
	return path, nil
}
