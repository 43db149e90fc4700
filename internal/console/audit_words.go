package console

import (
	"cmp"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// auditKinds and auditResults are the words for Graph's, in the order in which they are offered as
// filters.
var (
	auditKinds = []option{{"Create", "Create"}, {"Patch", "Change"}, {"Delete", "Delete"},
		{"Action", "Action"}, {"Get", "Read"}}
	auditResults = []option{{"Success", "Done"}, {"ClientError", "Refused"}, {"Failure", "Failed"}}
)

func textOf(options []option, value string) string {
	if i := slices.IndexFunc(options, func(o option) bool { return o.Value == value }); i >= 0 {
		return options[i].Text
	}
	return value
}

func auditResult(value string) mark {
	return mark{textOf(auditResults, value), cmp.Or(map[string]string{"Success": "good",
		"ClientError": "off", "Failure": "bad"}[value], "idle")}
}

// ownNouns are the words for the first part of operations' names that are about no resource of the
// API's.
var ownNouns = map[string]string{
	"actions":  "action",
	"failures": "failures",
	"removed":  "what is removed",
	"session":  "session",
}

// auditVerbs are the words for what operations do, by what comes after the first part of their
// names. %s is what they do it to.
var auditVerbs = map[string]string{
	"addAssignment":               "Assign a %s to one more",
	"addMember":                   "Put a device into a %s",
	"assign":                      "Assign a %s",
	"changeAssignments":           "Take off and put back on a %s",
	"changeAssignments.preview":   "See what an action would do",
	"checkOut":                    "A %s left management",
	"count":                       "Count: %s",
	"countAppConfigurationStates": "Count the app configurations of a %s",
	"countAssignments":            "Count whom a %s is assigned to",
	"countConfigurationStates":    "Count the policies of a %s",
	"countMembers":                "Count the members of a %s",
	"countSettings":               "Count the settings of a %s",
	"countTransitiveMembers":      "Count the members of a %s",
	"create":                      "Make a new %s",
	"createCopy":                  "Copy a %s",
	"delete":                      "Delete a %s",
	"enroll":                      "Enroll a %s",
	"events":                      "See what became of a %s",
	"get":                         "See a %s",
	"getActivityTypes":            "See what can be done to %s",
	"getAppConfigurationState":    "See how an app configuration is on a %s",
	"getAssignment":               "See whom a %s is assigned to",
	"getByID":                     "See each %s of a list",
	"getCategories":               "See the kinds of %s",
	"getConfigurationState":       "See how a policy is on a %s",
	"getRole":                     "See the role of a %s",
	"getSetting":                  "See a setting of a %s",
	"list":                        "List: %s",
	"listAppConfigurationStates":  "See the app configurations of a %s",
	"listAssignments":             "See whom a %s is assigned to",
	"listCategories":              "See the categories of a %s",
	"hasCustom":                   "See whether there is a %s beside the built-in one",
	"listConfigurationStates":     "See the policies of a %s",
	"listDetectedApps":            "See the apps found on a %s",
	"listMemberReferences":        "See the members of a %s",
	"listMembers":                 "See the members of a %s",
	"listRelationships":           "See what a %s relates to",
	"listScopeTags":               "See the scope tags of a %s",
	"listSettings":                "See the settings of a %s",
	"listTransitiveMembers":       "See the members of a %s",
	"listUsers":                   "See the users of a %s",
	"reauthorize":                 "Extend a %s",
	"reenroll":                    "Enroll a %s anew",
	"removeAssignment":            "End an assignment of a %s",
	"removeMember":                "Take a device out of a %s",
	"replace":                     "Replace a %s",
	"retire":                      "Retire a %s",
	"setServiceAccount":           "Set the service account of an %s",
	"signIn":                      "Sign in",
	"signOut":                     "Sign out",
	"syncDevice":                  "Ask a %s to connect",
	"syncPayloads":                "Take off and put back on a %s",
	"syncPayloads.preview":        "See what an action would do",
	"update":                      "Change a %s",
}

// auditActs are the words for operations whose names have one part.
var auditActs = map[string]string{
	"batch":                 "Several calls in one",
	"createEnrollment":      "Make an enrollment link",
	"deviceEvents":          "Follow a device",
	"devicePayloads":        "See what a device has",
	"events":                "Follow all devices",
	"getPushCertificate":    "See the push certificate",
	"health":                "See whether the server lives",
	"inspectProfile":        "Look into a profile",
	"showProfile":           "Look into a policy",
	"me":                    "See who one is",
	"metadata":              "Read the description of the API",
	"serverHealth":          "See how the server stands",
	"updatePushCertificate": "Set the push certificate",
}

// articleBeforeVowel is an article that wants an n.
var articleBeforeVowel = regexp.MustCompile(`\b([Aa]) ([AEIOaeio])`)

// auditWords are the words for what the audit record keeps.
type auditWords struct {
	nouns map[string]string // Config.Nouns
}

// noun is the word for the type of an object; the type itself if there is none.
func (w auditWords) noun(objectType string) string {
	return cmp.Or(w.nouns[objectType],
		objectType)
}

// activity says what an operation does: managedDevices.syncDevice is "Ask a device to connect". One
// that has no words is named as it is.
func (w auditWords) activity(name string) string {
	resource, rest, hasParts := strings.Cut(name, ".")
	if !hasParts {
		return cmp.Or(auditActs[name], name)
	}
	verb, noun := cmp.Or(auditVerbs[rest], platformVerb(rest)), cmp.Or(w.nouns[resource], ownNouns[resource])
	if verb == "" || noun == "" {
		return name
	}
	text := strings.Replace(verb, "%s", noun, 1)
	return articleBeforeVowel.ReplaceAllString(text, "${1}n $2")
}

// sentence is what to tell a visitor near the form that led to an error; false if it has the page
// of errors.
func sentence(err error) (status int, message string, ok bool) {
	var own *refusal
	if errors.As(err, &own) {
		return own.status, own.message, true
	}
	if refused, shown := near(err); shown && refused.Status == http.StatusBadRequest {
		return refused.Status, refused.Message, true
	}
	return 0, "", false
}
