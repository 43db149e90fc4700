package simulator

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"google.golang.org/api/androidmanagement/v1"
)

// maxWebApps bounds the web apps of an enterprise.
const maxWebApps = 1000

// checkWebApp: AMAPI, REST resource: enterprises.webApps.
func checkWebApp(app *androidmanagement.WebApp) *failure {
	switch {
	case app.Title == "":
		return badRequest("web_app.title", "Invalid value at 'web_app.title': it must be set.")
	case !strings.HasPrefix(app.StartUrl, "https://") &&
		!strings.HasPrefix(app.StartUrl, "http://"):
		return badRequest("web_app.start_url",
			"Invalid value at 'web_app.start_url': it must be an absolute URL.")
	case len(app.Icons) == 0:
		return badRequest("web_app.icons",
			"Invalid value at 'web_app.icons': there must be at least one.")
	}
	for i, icon := range app.Icons {
		at := fmt.Sprintf("web_app.icons[%d].image_data", i)
		raw, err := base64.URLEncoding.DecodeString(icon.ImageData)
		if err != nil || len(raw) == 0 {
			return badRequest(at, "Invalid value at '%s': it must be an image in base64url.", at)
		}
	}
	return nil
}

// createWebApp: AMAPI, enterprises.webApps.create.
func (s *Service) createWebApp(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readMessage[androidmanagement.WebApp](c, "web_app")
	if refusal == nil {
		refusal = checkWebApp(convert[androidmanagement.WebApp](body))
	}
	if refusal != nil {
		return nil, refusal
	}
	if len(e.webApps) >= maxWebApps {
		return nil, fail(429, "There are too many web apps.")
	}
	s.counter++
	name := fmt.Sprintf("%s/webApps/com.google.enterprise.webapp.x%016x", e.name, s.counter)
	body["name"], body["versionCode"] = name, "1"
	e.webApps[name] = body
	return body, nil
}

func (s *Service) webAppOf(c *call) (*enterprise, message, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, nil, refusal
	}
	if e.webApps[c.name] == nil {
		return nil, nil, notFound(c.name)
	}
	return e, e.webApps[c.name], nil
}

func (s *Service) getWebApp(c *call) (any, *failure) {
	_, found, refusal := s.webAppOf(c)
	if refusal != nil {
		return nil, refusal
	}
	return found, nil
}

func (s *Service) listWebApps(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	return page(c, "webApps", sortedKeys(e.webApps), func(name string) any {
		return e.webApps[name]
	})
}

func (s *Service) deleteWebApp(c *call) (any, *failure) {
	e, _, refusal := s.webAppOf(c)
	if refusal != nil {
		return nil, refusal
	}
	delete(e.webApps, c.name)
	return message{}, nil
}

func (s *Service) patchWebApp(c *call) (any, *failure) {
	e, found, refusal := s.webAppOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readMessage[androidmanagement.WebApp](c, "web_app")
	if refusal != nil {
		return nil, refusal
	}
	after, refusal := update[androidmanagement.WebApp](c, found, body,
		func(name string) bool { return name != "name" && name != "versionCode" })
	if refusal == nil {
		refusal = checkWebApp(convert[androidmanagement.WebApp](after))
	}
	if refusal != nil {
		return nil, refusal
	}
	after = maps.Clone(after)
	version, _ := strconv.ParseInt(found["versionCode"].(string), 10, 64)
	after["versionCode"] = strconv.FormatInt(version+1, 10)
	e.webApps[c.name] = after
	return after, nil
}

// createWebToken: AMAPI, enterprises.webTokens.create.
func (s *Service) createWebToken(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readMessage[androidmanagement.WebToken](c, "web_token")
	if refusal != nil {
		return nil, refusal
	}
	if frame, _ := body["parentFrameUrl"].(string); !strings.HasPrefix(frame, "https://") {
		return nil, badRequest("web_token.parent_frame_url", "Invalid value at "+
			"'web_token.parent_frame_url': it must use the https scheme.")
	}
	s.counter++
	body["name"] = fmt.Sprintf("%s/webTokens/W%08x", e.name, s.counter)
	body["value"] = rand.Text()
	return body, nil
}

// UnlistedPrefix begins the packages that Google Play does not have.
const UnlistedPrefix = "unlisted."

// getApplication: AMAPI, enterprises.applications.get. Google Play has every package here but those
// that begin with UnlistedPrefix, and web apps by the title that they were given.
func (s *Service) getApplication(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	id := c.parts[3]
	title := id
	if app := e.webApps[e.name+"/webApps/"+id]; app != nil {
		title, _ = app["title"].(string)
	} else if strings.HasPrefix(id, UnlistedPrefix) || !strings.Contains(id, ".") {
		return nil, notFound(c.name)
	}
	return &androidmanagement.Application{Name: c.name, Title: title, Author: "Example",
		PlayStoreUrl: "https://play.google.com/store/apps/details?id=" + id,
		AppPricing:   "FREE", DistributionChannel: "PUBLIC_GOOGLE_HOSTED",
		MinAndroidSdkVersion: 26}, nil
}
