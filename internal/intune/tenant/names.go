package tenant

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Named is a policy or app of a tenant's, as its lists tell of it.
type Named struct {
	ID        string // in lower case
	Kind      Kind
	Type      string // Graph's, without '#microsoft.graph.'
	Name      string
	Publisher string // of an app
	Platforms string // of a settings catalog policy: iOS, android, …
	Created   time.Time
	Modified  time.Time
}

// collections are where policies and apps are.
var collections = []struct {
	kind             Kind
	path, properties string
	base             string // the type of what does not say its own
}{
	{Configuration, "deviceManagement/deviceConfigurations",
		"id,displayName,createdDateTime,lastModifiedDateTime", "deviceConfiguration"},
	{Policy, "deviceManagement/configurationPolicies",
		"id,name,platforms,createdDateTime,lastModifiedDateTime",
		"deviceManagementConfigurationPolicy"},
	{App, "deviceAppManagement/mobileApps",
		"id,displayName,publisher,createdDateTime,lastModifiedDateTime", "mobileApp"},
	{AppConfig, "deviceAppManagement/mobileAppConfigurations",
		"id,displayName,createdDateTime,lastModifiedDateTime",
		"managedDeviceMobileAppConfiguration"},
}

// Names calls fn with the policies and apps of the tenant, a page at a time, of all platforms. What
// cannot be read is left out.
func (c *Client) Names(ctx context.Context, fn func([]Named) error) error {
	for _, of := range collections {
		query := url.Values{"$select": {of.properties}, "$top": {pageSize}}
		err := c.list(ctx, request{action: "list the " + of.base + "s", method: http.MethodGet,
			path: of.path, query: query.Encode()},
			func(rows []json.RawMessage) (bool, error) {
				found := make([]Named, 0, len(rows))
				for _, row := range rows {
					if n, ok := readNamed(row, of.kind, of.base); ok {
						found = append(found, n)
					}
				}
				return true, fn(found)
			})
		if err != nil {
			return err
		}
	}
	return nil
}

func readNamed(row json.RawMessage, kind Kind, base string) (Named, bool) {
	var r struct {
		Type        string    `json:"@odata.type"`
		ID          string    `json:"id"`
		DisplayName string    `json:"displayName"`
		Name        string    `json:"name"`
		Publisher   string    `json:"publisher"`
		Platforms   string    `json:"platforms"`
		Created     time.Time `json:"createdDateTime"`
		Modified    time.Time `json:"lastModifiedDateTime"`
	}
	if json.Unmarshal(row, &r) != nil || !itemID.MatchString(r.ID) {
		return Named{}, false
	}
	if kind == Policy {
		r.DisplayName = r.Name
	}
	t := words(strings.TrimPrefix(r.Type, "#microsoft.graph."), 128)
	if t == "" {
		t = base
	}
	return Named{ID: strings.ToLower(r.ID), Kind: kind, Type: t, Name: words(r.DisplayName, 256),
		Publisher: words(r.Publisher, 256), Platforms: words(r.Platforms, 128),
		Created: r.Created, Modified: r.Modified}, true
}
