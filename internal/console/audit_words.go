package console

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// auditKinds and auditResults are the words for Graph's, in the order in which they are offered as filters.
var (
	auditKinds   = []option{{"Create", "Create"}, {"Patch", "Change"}, {"Delete", "Delete"}, {"Action", "Action"}, {"Get", "Read"}}
	auditResults = []option{{"Success", "Done"}, {"ClientError", "Refused"}, {"Failure", "Failed"}}
)

func textOf(options []option, value string) string {
	if i := slices.IndexFunc(options, func(o option) bool { return o.Value == value }); i >= 0 {
		return options[i].Text
	}
	return value
}

func auditResult(value string) mark {
	return mark{textOf(auditResults, value), cmp.Or(map[string]string{"Success": "good", "ClientError": "off", "Failure": "bad"}[value], "idle")}
}

// auditNouns are the words for what operations and their objects are about, by the API's names of one.
var auditNouns = map[string]string{"managedDevice": "device", "comanagedDevice": "device", "group": "group", "deviceConfiguration": "policy",
	"configurationPolicie": "settings catalog policy", "mobileApp": "app", "mobileAppConfiguration": "app configuration", "roleDefinition": "role",
	"roleAssignment": "role assignment", "roleScopeTag": "scope tag", "token": "token", "enrollment": "enrollment", "auditEvent": "audit record",
	"applePushNotificationCertificate": "push certificate", "remoteActionAudit": "remote actions", "removed": "what is removed", "failure": "failures",
	"action": "action", "session": "session"}

// auditNoun is the word for a kind of thing; its own name if there is none.
func auditNoun(kind string) string { return cmp.Or(auditNouns[kind], kind) }

// auditVerbs are the words for what operations do, by the second part of their names. %s is what they do it to.
var auditVerbs = map[string]string{"create": "Make a new %s", "update": "Change a %s", "delete": "Delete a %s", "get": "See a %s", "list": "List: %s",
	"assign": "Assign a %s", "listAssignments": "See whom a %s is assigned to", "addMember": "Put a device into a %s",
	"removeMember": "Take a device out of a %s", "listMembers": "See the members of a %s", "listMemberReferences": "See the members of a %s",
	"syncPayloads": "Take off and put back on a %s", "changeAssignments": "Take off and put back on a %s", "syncDevice": "Ask a %s to connect",
	"preview": "See what an action would do", "events": "See what became of an %s", "signIn": "Sign in", "signOut": "Sign out",
	"enroll": "Enroll a %s", "reenroll": "Enroll a %s anew", "checkOut": "A %s left management"}

// auditActs are the words for operations whose names have one part.
var auditActs = map[string]string{"createEnrollment": "Make an enrollment link", "updatePushCertificate": "Set the push certificate",
	"getPushCertificate": "See the push certificate", "inspectProfile": "Look into a profile", "serverHealth": "See how the server stands",
	"events": "Follow all devices", "deviceEvents": "Follow a device", "devicePayloads": "See what a device has"}

// auditWords say what an operation does: managedDevices.syncDevice is "Ask a device to connect". One that has no words
// is named as it is.
func auditWords(activity string) string {
	parts := strings.Split(activity, ".")
	if len(parts) < 2 {
		return cmp.Or(auditActs[activity], activity)
	}
	verb, ok := auditVerbs[parts[len(parts)-1]]
	noun, known := auditNouns[strings.TrimSuffix(parts[0], "s")]
	if !ok || !known {
		return activity
	}
	text := strings.Replace(verb, "%s", noun, 1)
	return strings.NewReplacer("a action", "an action", "a app", "an app").Replace(text)
}

// sentence is what to tell a visitor near the form that led to an error; false if it has the page of errors.
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
