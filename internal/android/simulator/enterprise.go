package simulator

import (
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/api/androidmanagement/v1"
)

// enterprise is what an admin signed up.
type enterprise struct {
	name     string
	project  string
	document message  // without name
	topic    string   // where notifications go; empty: nowhere
	notifies []string // the types that are enabled
	policies map[string]*policy
	tokens   map[string]*token
	devices  map[string]*Device
	// following are the devices of a policy, each by its name.
	following map[string]map[string]*Device
	webApps   map[string]message
}

// signup is a sign-up on its way.
type signup struct {
	name, project, callback string
	token                   string // given when the admin comes back; empty: not yet
}

// maxSignups bounds the sign-ups on their way.
const maxSignups = 10_000

// createSignup: AMAPI, signupUrls.create.
func (s *Service) createSignup(c *call) (any, *failure) {
	project, callback := c.query.Get("projectId"), c.query.Get("callbackUrl")
	u, err := url.Parse(callback)
	switch {
	case project == "":
		return nil, badRequest("project_id", "Invalid value at 'project_id': it must be set.")
	case project != c.project:
		return nil, fail(http.StatusForbidden, "The caller does not have permission")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, badRequest("callback_url",
			"Invalid value at 'callback_url': it must be an absolute URL.")
	}
	if len(s.signups) >= maxSignups {
		clear(s.signups)
	}
	s.counter++
	id := fmt.Sprintf("C%08x", s.counter)
	made := &signup{name: "signupUrls/" + id, project: project, callback: callback}
	s.signups[made.name] = made
	return &androidmanagement.SignupUrl{Name: made.name, Url: c.host() + "/signup/" + id}, nil
}

// serveSignup stands for Google's sign-up page: the admin agrees at once, and is sent back.
func (s *Service) serveSignup(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.signups["signupUrls/"+strings.TrimPrefix(r.URL.Path, "/signup/")]
	if found == nil || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	if found.token == "" {
		found.token = "EA" + rand.Text()
	}
	back, err := url.Parse(found.callback)
	if err != nil {
		panic(err) // createSignup parsed it
	}
	query := back.Query()
	query.Set("enterpriseToken", found.token)
	back.RawQuery = query.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// createEnterprise: AMAPI, enterprises.create, for enterprises whose customers sign up themselves.
func (s *Service) createEnterprise(c *call) (any, *failure) {
	body, refusal := readMessage[androidmanagement.Enterprise](c, "enterprise")
	if refusal != nil {
		return nil, refusal
	}
	found := s.signups[c.query.Get("signupUrlName")]
	project := c.query.Get("projectId")
	switch {
	case project != c.project:
		return nil, fail(http.StatusForbidden, "The caller does not have permission")
	case found == nil || found.project != project:
		return nil, badRequest("signup_url_name", "Invalid value at 'signup_url_name': there is "+
			"no such sign-up.")
	case found.token == "" || c.query.Get("enterpriseToken") != found.token:
		return nil, badRequest("enterprise_token", "Invalid value at 'enterprise_token': it is "+
			"not the one of this sign-up.")
	case c.query.Get("agreementAccepted") == "true":
		return nil, badRequest("agreement_accepted", "Invalid value at 'agreement_accepted': it "+
			"is only for enterprises that the EMM manages.")
	}
	e := s.newEnterprise(project)
	body["managedGooglePlayAccountsEnterpriseType"] = "CUSTOMER_MANAGED"
	body["enterpriseType"] = "MANAGED_GOOGLE_PLAY_ACCOUNTS_ENTERPRISE"
	if refusal := s.setEnterprise(e, body); refusal != nil {
		return nil, refusal
	}
	delete(s.signups, found.name)
	s.enterprises[e.name] = e
	return e.answer(), nil
}

func (e *enterprise) answer() any {
	m := maps.Clone(e.document)
	m["name"] = e.name
	return m
}

var readOnlyEnterpriseFields = []string{"name", "enterpriseType", "managedGoogleDomainType",
	"managedGooglePlayAccountsEnterpriseType"}

// setEnterprise takes what an enterprise is to be. A new topic gets a test message, which shows
// whether Google may publish to it.
func (s *Service) setEnterprise(e *enterprise, document message) *failure {
	name, _ := document["enterpriseDisplayName"].(string)
	if len([]rune(name)) > 100 {
		return badRequest("enterprise.enterprise_display_name", "Invalid value at "+
			"'enterprise.enterprise_display_name': it has more than 100 characters.")
	}
	wanted := convert[androidmanagement.Enterprise](document)
	if wanted.PubsubTopic != "" && wanted.PubsubTopic != e.topic {
		if refusal := s.mayPublish(wanted.PubsubTopic); refusal != nil {
			return refusal
		}
		s.publish(wanted.PubsubTopic, "test", []byte("{}"), s.options.Now())
	}
	delete(document, "name")
	e.document, e.topic, e.notifies = document, wanted.PubsubTopic, wanted.EnabledNotificationTypes
	return nil
}

// enterpriseOf finds the enterprise that a call is about, if the caller may know it.
func (s *Service) enterpriseOf(c *call) (*enterprise, *failure) {
	e := s.enterprises[c.parent()]
	switch {
	case e == nil:
		return nil, notFound(c.parent())
	case e.project != c.project:
		return nil, fail(http.StatusForbidden, "The caller is not authorized to manage enterprise.")
	}
	return e, nil
}

func (s *Service) getEnterprise(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	return e.answer(), nil
}

// listEnterprises: AMAPI, enterprises.list, which shows the basic fields only.
func (s *Service) listEnterprises(c *call) (any, *failure) {
	if c.query.Get("projectId") == "" {
		return nil, badRequest("project_id", "Invalid value at 'project_id': it must be set.")
	}
	if c.query.Get("projectId") != c.project {
		return nil, fail(http.StatusForbidden, "The caller does not have permission")
	}
	names := slices.DeleteFunc(sortedKeys(s.enterprises),
		func(name string) bool { return s.enterprises[name].project != c.project })
	return page(c, "enterprises", names, func(name string) any {
		basic := message{"name": name}
		if shown, set := s.enterprises[name].document["enterpriseDisplayName"]; set {
			basic["enterpriseDisplayName"] = shown
		}
		return basic
	})
}

func (s *Service) patchEnterprise(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readMessage[androidmanagement.Enterprise](c, "enterprise")
	if refusal != nil {
		return nil, refusal
	}
	after, refusal := update[androidmanagement.Enterprise](c, e.document, body,
		func(name string) bool { return !slices.Contains(readOnlyEnterpriseFields, name) })
	if refusal == nil {
		refusal = s.setEnterprise(e, after)
	}
	if refusal != nil {
		return nil, refusal
	}
	return e.answer(), nil
}

// deleteEnterprise: AMAPI, enterprises.delete. Devices lose their management.
func (s *Service) deleteEnterprise(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	for _, d := range e.devices {
		s.forget(d)
	}
	delete(s.enterprises, e.name)
	return message{}, nil
}

// AddEnterprise makes an enterprise without the sign-up, of the project of the Options, and returns
// its name.
func (s *Service) AddEnterprise() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.newEnterprise(s.options.Project)
	s.enterprises[e.name] = e
	return e.name
}

func (s *Service) newEnterprise(project string) *enterprise {
	s.counter++
	return &enterprise{name: fmt.Sprintf("enterprises/LC%08x", s.counter), project: project,
		document: make(message), policies: make(map[string]*policy),
		tokens: make(map[string]*token), devices: make(map[string]*Device),
		webApps: make(map[string]message)}
}
