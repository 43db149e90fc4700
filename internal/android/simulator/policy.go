package simulator

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/api/androidmanagement/v1"
)

// policy is a policy of an enterprise. A device keeps the version that it took by the pointer, so a
// version is never changed once it is there.
type policy struct {
	name     string
	version  int64
	document []byte // normalized JSON, without name and version
}

func (p *policy) message() message {
	var m message
	decoder := json.NewDecoder(bytes.NewReader(p.document))
	decoder.UseNumber()
	if err := decoder.Decode(&m); err != nil {
		panic(err) // it was encoded here
	}
	return m
}

func (p *policy) answer() any {
	m := p.message()
	m["name"], m["version"] = p.name, strconv.FormatInt(p.version, 10)
	return m
}

// changeablePolicyField tells whether a PATCH may change a field of a policy.
func changeablePolicyField(name string) bool { return name != "name" && name != "version" }

// patchPolicy creates a policy or makes a new version of it (AMAPI, enterprises.policies.patch).
func (s *Service) patchPolicy(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readMessage[androidmanagement.Policy](c, "policy")
	if refusal != nil {
		return nil, refusal
	}
	present := e.policies[c.name]
	var before message
	if present != nil {
		before = present.message()
	}
	after, refusal := update[androidmanagement.Policy](c, before, body, changeablePolicyField)
	if refusal == nil {
		refusal = checkPolicy(convert[androidmanagement.Policy](after), after)
	}
	if refusal != nil {
		return nil, refusal
	}
	document := encode(after)
	if present != nil && s.options.SameNotModified && bytes.Equal(present.document, document) {
		return nil, &failure{code: http.StatusNotModified}
	}
	return s.setPolicy(e, c.name, document).answer(), nil
}

// setPolicy makes a new version and lets the devices of the policy take it; mu is held.
func (s *Service) setPolicy(e *enterprise, name string, document []byte) *policy {
	made := &policy{name: name, version: 1, document: document}
	if present := e.policies[name]; present != nil {
		made.version = present.version + 1
	}
	e.policies[name] = made
	for _, d := range e.following[name] {
		s.actLater(d)
	}
	return made
}

// follow has a device of the enterprise take a policy, whether there is one of that name or not.
func (e *enterprise) follow(d *Device, name string) {
	e.unfollow(d)
	d.policyName = name
	if e.following == nil {
		e.following = make(map[string]map[string]*Device)
	}
	if e.following[name] == nil {
		e.following[name] = make(map[string]*Device)
	}
	e.following[name][d.name] = d
}

// unfollow takes a device out of those of its policy.
func (e *enterprise) unfollow(d *Device) {
	delete(e.following[d.policyName], d.name)
	if len(e.following[d.policyName]) == 0 {
		delete(e.following, d.policyName)
	}
}

// EditPolicy changes a policy as somebody else with access to the project does, and makes a new
// version of it. It returns the number of that version, and 0 if there is no such policy or what
// edit makes is not one.
func (s *Service) EditPolicy(name string, edit func(*androidmanagement.Policy)) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := strings.Split(name, "/")
	e := s.enterprises[strings.Join(parts[:min(2, len(parts))], "/")]
	if e == nil || e.policies[name] == nil {
		return 0
	}
	edited := convert[androidmanagement.Policy](e.policies[name].message())
	edit(edited)
	read, refusal := readMessage[androidmanagement.Policy](&call{body: encode(edited)}, "policy")
	if refusal != nil {
		return 0
	}
	maps.DeleteFunc(read, func(name string, _ any) bool { return !changeablePolicyField(name) })
	return s.setPolicy(e, name, encode(read)).version
}

func (s *Service) getPolicy(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	if e.policies[c.name] == nil {
		return nil, notFound(c.name)
	}
	return e.policies[c.name].answer(), nil
}

func (s *Service) listPolicies(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	return page(c, "policies", sortedKeys(e.policies),
		func(name string) any { return e.policies[name].answer() })
}

// deletePolicy: AMAPI, enterprises.policies.delete: "only permitted if no devices are currently
// referencing the policy".
func (s *Service) deletePolicy(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	if e.policies[c.name] == nil {
		return nil, notFound(c.name)
	}
	for name := range e.following[c.name] {
		return nil, badRequest("name",
			"The policy %s cannot be deleted: the device %s references it.", c.name, name)
	}
	delete(e.policies, c.name)
	return message{}, nil
}
