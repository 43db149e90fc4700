package simulator

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"google.golang.org/api/androidmanagement/v1"
)

// token is an enrollment token.
type token struct {
	document message // all of it
	value    string
	until    time.Time
	once     bool
	used     bool
}

const (
	shortestToken = time.Minute
	defaultToken  = time.Hour
	longestToken  = 315360000000 // seconds, about 10,000 years
)

// createToken: AMAPI, enterprises.enrollmentTokens.create.
func (s *Service) createToken(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := readMessage[androidmanagement.EnrollmentToken](c, "enrollment_token")
	if refusal != nil {
		return nil, refusal
	}
	asked := convert[androidmanagement.EnrollmentToken](body)
	lasts := defaultToken
	if asked.Duration != "" {
		if lasts, _ = readDuration(asked.Duration); lasts < shortestToken {
			return nil, badRequest("enrollment_token.duration", "Invalid value at "+
				"'enrollment_token.duration': it must be 60s to %ds.", longestToken)
		}
	}
	if len(asked.AdditionalData) > 1024 {
		return nil, badRequest("enrollment_token.additional_data", "Invalid value at "+
			"'enrollment_token.additional_data': it has more than 1024 characters.")
	}
	policyName := e.policyName(asked.PolicyName)
	if policyName == "" {
		return nil, badRequest("enrollment_token.policy_name", "Invalid value at "+
			"'enrollment_token.policy_name': it is no policy of %s.", e.name)
	}
	s.counter++
	made := &token{document: body, value: rand.Text()[:20], until: c.now.Add(lasts),
		once: asked.OneTimeOnly}
	name := fmt.Sprintf("%s/enrollmentTokens/T%08x", e.name, s.counter)
	body["name"], body["value"], body["policyName"] = name, made.value, policyName
	body["expirationTimestamp"] = made.until.UTC().Format(time.RFC3339Nano)
	if asked.Duration == "" {
		body["duration"] = "3600s"
	}
	body["qrCode"] = qrCode(made.value)
	e.tokens[name] = made
	return body, nil
}

// policyName is the whole name of a policy that is named in short or in whole, "" if it cannot be
// one of the enterprise's.
func (e *enterprise) policyName(given string) string {
	prefix := e.name + "/policies/"
	switch id := strings.TrimPrefix(given, prefix); {
	case given == "":
		return prefix + "default"
	case id == "" || strings.Contains(id, "/"):
		return ""
	default:
		return prefix + id
	}
}

// qrCode is what the set-up wizard reads (Android, "QR code provisioning").
func qrCode(value string) string {
	const (
		extra    = "android.app.extra.PROVISIONING_"
		checksum = "I5YvS0O5hXY46mb01BlRjq4oJJGs2kuUcHvVkAPEXlg"
		location = "https://play.google.com/managed/downloadManagingApp?identifier=setup"
	)
	raw, err := json.Marshal(map[string]any{
		extra + "DEVICE_ADMIN_COMPONENT_NAME": "com.google.android.apps.work.clouddpc/" +
			".receivers.CloudDeviceAdminReceiver",
		extra + "DEVICE_ADMIN_SIGNATURE_CHECKSUM":        checksum,
		extra + "DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION": location,
		extra + "ADMIN_EXTRAS_BUNDLE": map[string]string{
			"com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN": value}})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func (s *Service) getToken(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	found := e.tokens[c.name]
	if found == nil || !found.usable(c.now) {
		return nil, notFound(c.name)
	}
	return found.partial(), nil
}

// partial is the view that get and list give, of active tokens only.
func (t *token) partial() any {
	shown := make(message)
	for _, field := range []string{"name", "expirationTimestamp", "allowPersonalUsage", "value",
		"qrCode"} {
		if value, set := t.document[field]; set {
			shown[field] = value
		}
	}
	return shown
}

func (s *Service) listTokens(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	var names []string
	for _, name := range sortedKeys(e.tokens) {
		if t := e.tokens[name]; t.usable(c.now) {
			names = append(names, name)
		}
	}
	return page(c, "enrollmentTokens", names, func(name string) any {
		return e.tokens[name].partial()
	})
}

func (t *token) usable(now time.Time) bool { return now.Before(t.until) && !(t.once && t.used) }

func (s *Service) deleteToken(c *call) (any, *failure) {
	e, refusal := s.enterpriseOf(c)
	if refusal != nil {
		return nil, refusal
	}
	if e.tokens[c.name] == nil {
		return nil, notFound(c.name)
	}
	delete(e.tokens, c.name)
	return message{}, nil
}
