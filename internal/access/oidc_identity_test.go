package access_test

import (
	"encoding/json"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// with are claims that are added to those of a valid token of ada; nil removes one.
type with = map[string]any

var adaAlone = person("user:ada", "user:ada")

// granted are roles that are names of Graph permissions.
var granted = []string{"DeviceManagementApps.ReadWrite.All", "Tasks.Run"}

func person(id, name string, others ...string) access.Identity {
	return access.Identity{
		ID: id, Name: name, Members: append([]string{id}, others...),
		Permissions: []string{"DeviceManagementApps.Read.All"},
	}
}

func inGroups(groups ...string) access.Identity { return person("user:ada", "user:ada", groups...) }

func powerless(i access.Identity) access.Identity { i.Permissions = []string{}; return i }

func application(id, name string) access.Identity {
	return access.Identity{
		ID: id, Name: name, Members: []string{id}, Application: true,
		Permissions: []string{"DeviceManagementApps.ReadWrite.All"},
	}
}

var identities = []struct {
	name   string
	claims map[string]any
	want   access.Identity
}{
	{"scope in scp", nil, adaAlone},
	{"scp is a list", with{"scp": []string{"openid", "DeviceManagementApps.Read.All"}}, adaAlone},
	{"scope in scope", with{"scp": nil, "scope": "openid DeviceManagementApps.Read.All"}, adaAlone},
	{"the same permission twice", with{"scope": "DeviceManagementApps.Read.All"}, adaAlone},
	{"audience in a list", with{"aud": []string{"other", audience}}, adaAlone},
	{"no permission that is known", with{"scp": "access_as_user Devicemanagementapps.Read.All"},
		powerless(adaAlone)},
	{"no scope", with{"scp": nil}, powerless(adaAlone)},
	{"scope that is no string", with{"scp": 7}, powerless(adaAlone)},
	{"with a nonce and a scope", with{"nonce": "n"}, adaAlone},
	{"times are fractions", with{"exp": 1772622000.5}, adaAlone},
	{"Entra ID, delegated", with{
		"oid": "8e2c", "sub": "pairwise", "preferred_username": "ada@example.com", "name": "Ada",
		"tid": "t", "ver": "2.0", "azp": "spa", "idtyp": "user", "groups": []string{"1f4e"},
	}, person("user:8e2c", "ada@example.com", "user:pairwise", "1f4e")},
	{"Keycloak, delegated", with{
		"typ": "Bearer", "scp": nil, "scope": "openid DeviceManagementApps.Read.All", "sid": "s",
		"azp":                "spa",
		"preferred_username": "ada", "email": "ada@example.com", "groups": []string{"/help desk"},
	}, person("user:ada", "ada", "/help desk")},

	{"Entra ID, application that says so", with{"scp": nil, "idtyp": "app", "azp": "c1", "oid": "o",
		"roles": granted},
		application("app:c1", "c1")},
	{"Entra ID, application of version 1", with{
		"scp": nil, "sub": "o", "oid": "o", "appid": "c1", "app_displayname": "Reports", "tid": "t",
		"ver": "1.0", "roles": granted,
	}, application("app:c1", "Reports")},
	{"Keycloak, service account", with{
		"scp": nil, "scope": "profile email", "azp": "Reports", "client_id": "Reports",
		"email_verified":     false,
		"preferred_username": "service-account-reports", "typ": "Bearer", "acr": "1",
		"roles": granted,
	}, application("app:Reports", "Reports")},
	{"application with one role", with{"scp": nil, "idtyp": "app", "client_id": "c1",
		"roles": granted[0]},
		application("app:c1", "c1")},
	{"application named like the server", with{
		"scp": nil, "idtyp": "app", "azp": "system", "app_displayname": "System", "roles": granted,
	}, application("app:system", "app:system")},

	{"person with roles like permissions", with{"roles": granted}, adaAlone},
	{"person with such roles and no scope", with{"scp": nil, "roles": granted},
		powerless(adaAlone)},
	{"person with such roles and an id of the client",
		with{"scp": nil, "roles": granted, "client_id": "ada", "azp": "ada"},
		powerless(adaAlone)},
	{"person named like a service account", with{
		"scp": nil, "scope": "profile", "roles": granted, "azp": "reports",
		"preferred_username": "service-account-reports",
	}, powerless(person("user:ada", "service-account-reports"))},
	{"person named like a service account, signed in",
		with{"scp": nil, "roles": granted, "azp": "reports",
			"client_id": "reports", "preferred_username": "service-account-reports", "sid": "s",
		}, powerless(person("user:ada", "service-account-reports"))},
	{"service account of another client", with{"scp": nil, "roles": granted, "azp": "reports",
		"client_id": "reports", "preferred_username": "service-account-other",
	}, powerless(person("user:ada", "service-account-other"))},
	{"person whose oid is the sub, not of Entra ID",
		with{"scp": nil, "roles": granted, "oid": "ada", "azp": "spa"},
		powerless(adaAlone)},
	{"service account of another client, by its id",
		with{"scp": nil, "roles": granted, "azp": "spa",
			"client_id": "reports", "preferred_username": "service-account-reports",
		}, powerless(person("user:ada", "service-account-reports"))},
	{"service account of no client", with{"scp": nil, "roles": granted,
		"preferred_username": "service-account-"},
		powerless(person("user:ada", "service-account-"))},
	{"application, says idtyp; a person, says a scope without permissions",
		with{"scp": "access_as_user", "idtyp": "app", "azp": "c1", "roles": granted},
		powerless(adaAlone)},
	{"application, says idtyp; limited, says the scope", with{
		"scp": nil, "scope": "DeviceManagementApps.Read.All", "idtyp": "app", "azp": "c1",
		"roles": granted,
	}, adaAlone},
	{"application, says idtyp; a person, says the name",
		with{"scp": nil, "idtyp": "app", "azp": "c1", "preferred_username": "ada",
			"roles": granted},
		powerless(person("user:ada", "ada"))},
	{"application with a client id that cannot be",
		with{"scp": nil, "idtyp": "app", "azp": "c\n1", "roles": granted},
		powerless(adaAlone)},
	{"Entra ID, person whose token does not say idtyp", with{
		"scp": nil, "oid": "o", "azp": "spa", "tid": "t", "ver": "2.0", "roles": granted,
	}, powerless(person("user:o", "user:o", "user:ada"))},
	{"application, says idtyp; a person, says the scope",
		with{"idtyp": "app", "azp": "c1", "roles": granted},
		adaAlone},
	{"Entra ID, person", with{"scp": nil, "idtyp": "user", "oid": "ada", "tid": "t", "ver": "2.0",
		"roles": granted},
		powerless(adaAlone)},
	{"application without roles", with{"scp": nil, "idtyp": "app", "azp": "c1"},
		powerless(adaAlone)},
	{"application with roles of another server",
		with{"scp": nil, "idtyp": "app", "azp": "c1", "roles": "Tasks.Run"},
		powerless(adaAlone)},

	{"groups that pose as somebody", with{"groups": []string{
		"user:eve", "USER:eve", "token:0123", "app:c1", "", " user:eve", "app:c1\u200b", "users",
		"desk",
	}}, inGroups("users", "desk")},
	{"one group", with{"groups": "desk"}, inGroups("desk")},
	{"group that is not text", with{"groups": json.RawMessage(`["\udc00", "desk"]`)},
		inGroups("desk")},
	{"groups that are no strings", with{"groups": []any{"desk", 7}}, adaAlone},
	{"too many groups, kept elsewhere", with{"groups": []string{"desk"},
		"_claim_names":   map[string]string{"groups": "src1"},
		"_claim_sources": with{"src1": map[string]string{"endpoint": "https://graph.example/getMemberObjects"}},
	}, adaAlone},
	{"too many groups", with{"hasgroups": true}, adaAlone},
	{"too many groups, as a string", with{"hasgroups": "true", "groups": "desk"}, adaAlone},

	{"name of the server", with{"preferred_username": " SysTem\u200b ", "upn": "ada@example.com"},
		person("user:ada", "ada@example.com")},
	{"name with control characters", with{"preferred_username": "a\r\nd\u202ea\x00 "},
		person("user:ada", "ada")},
	{"name that is no string", with{"preferred_username": []string{"eve"},
		"email": "a@example.com"},
		person("user:ada", "a@example.com")},
	{"long name", with{"name": strings.Repeat("ä", 101)},
		person("user:ada", strings.Repeat("ä", 100))},
	{"subject named like the server", with{"sub": "system", "name": "system"},
		person("user:system", "user:system")},
	{"subject that begins like an application", with{"sub": "app:c1"},
		person("user:app:c1", "user:app:c1")},
}
