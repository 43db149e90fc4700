package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

const (
	subjectLimit = 255  // characters (OpenID Connect Core section 2)
	groupLimit   = 1000 // the most groups that are read from one token
	overagePause = time.Hour
)

// personalClaims are claims that a token has only if a person signed in: Entra ID's scope, and what
// is known of the person or their session. No issuer writes them into a token that an application
// got for itself.
var personalClaims = []string{
	"scp", "nonce", "auth_time", "amr", "sid", "session_state",
	"name", "given_name", "family_name", "email", "upn", "unique_name",
}

// reservedPrefixes begin the members that this server names itself. A group of such a name could
// pose as a person.
var reservedPrefixes = []string{"user:", "token:", "app:"}

// identity returns whose token it is. Only identifiers that never change decide: `oid`, `sub`, the
// client's id, and groups. Claims that can be changed or chosen by the holder (`email`,
// `preferred_username`, `upn`, `name`) are only shown.
func (p *Provider) identity(c claims) (*Identity, error) {
	if client, permissions, ok := p.application(c); ok {
		id := "app:" + client
		return &Identity{
			ID: id, Name: displayName(c.text("app_displayname"), client, id), Members: []string{id},
			Permissions: permissions, Application: true,
		}, nil
	}
	return p.person(c)
}

// person returns the identity of a token that is not proved to be an application's. Its permissions
// are those of its scope (`scp`, `scope`), never its roles; without any it allows nothing. Beyond
// that, it is limited to the roles that are assigned to its members here.
func (p *Provider) person(c claims) (*Identity, error) {
	subject, object := c.text("sub"), c.text("oid")
	if err := checkSubject(subject); err != nil {
		return nil, fmt.Errorf("its sub is %w", err)
	}
	if object == "" {
		object = subject
	} else if err := checkSubject(object); err != nil {
		return nil, fmt.Errorf("its oid is %w", err)
	}
	id := "user:" + object
	members := []string{id}
	if object != subject {
		members = append(members, "user:"+subject)
	}
	return &Identity{
		ID: id,
		Name: displayName(c.text("preferred_username"), c.text("upn"), c.text("email"),
			c.text("name"), id),
		Members:     append(members, p.groups(c)...),
		Permissions: graphPermissions(c.words("scp"), c.words("scope")),
	}, nil
}

// application returns the client id and the permissions of a token that an application got for
// itself. Such a token needs no role here, so a person's token must never be taken for one,
// whatever roles the provider gives that person. It is an application's only if all of this holds:
//   - its roles contain permissions of Graph, and its scope contains none;
//   - it has no claim that only a person's token has;
//   - it proves to be an application's in one of three ways: `idtyp` is "app" (Entra ID's optional
//     claim, which other issuers can be set to write, too); or its `oid` equals its `sub`, which in
//     Entra ID's tokens (`tid`, `ver`) is so for applications only, because a person has another
//     `sub` for each application; or it is of a service account of Keycloak (isServiceAccount).
func (p *Provider) application(c claims) (client string, permissions []string, ok bool) {
	for _, name := range []string{"azp", "appid", "client_id", "sub"} {
		if client = c.text(name); client != "" {
			break
		}
	}
	permissions = graphPermissions(c.list(p.config.RolesClaim))
	switch {
	case len(permissions) == 0, len(graphPermissions(c.words("scp"), c.words("scope"))) > 0,
		checkSubject(client) != nil:
		return "", nil, false
	case slices.ContainsFunc(personalClaims, c.has), c.has("idtyp") && c.text("idtyp") != "app":
		return "", nil, false
	case c.has("preferred_username") && !isServiceAccount(c):
		return "", nil, false
	}
	ofEntra := c.has("tid") && c.has("ver") && c.text("oid") != "" && c.text("oid") == c.text("sub")
	return client, permissions, c.text("idtyp") == "app" || ofEntra || isServiceAccount(c)
}

// isServiceAccount recognises tokens of Keycloak's service accounts. Only these have a `client_id`,
// written by the client scope service_account, and a user name made from the client's. The user
// name alone would not prove it: where people can register themselves, they could take that name.
func isServiceAccount(c claims) bool {
	client := c.text("client_id")
	return client != "" && client == c.text("azp") &&
		c.text("preferred_username") == "service-account-"+strings.ToLower(client)
}

// graphPermissions returns the names that are Graph permissions for something that this server
// does; never nil.
func graphPermissions(lists ...[]string) []string {
	found := []string{}
	for _, name := range slices.Concat(lists...) {
		if !slices.Contains(found, name) && isGraphPermission(name) {
			found = append(found, name)
		}
	}
	return found
}

func isGraphPermission(name string) bool {
	for _, r := range rights {
		if slices.Contains(r.permissions, name) {
			return true
		}
	}
	return false
}

// groups returns the groups of a token that role assignments can name. Entra ID leaves the groups
// out of the tokens of people who are in more than 200, and says so in `_claim_names` or
// `hasgroups` (access token claims reference, groups overage).
func (p *Provider) groups(c claims) []string {
	var elsewhere map[string]json.RawMessage
	_ = json.Unmarshal(c["_claim_names"], &elsewhere) // if it is not an object, it names no claim
	_, overage := elsewhere["groups"]
	if overage || strings.Trim(string(c["hasgroups"]), `"`) == "true" {
		p.warnOfOverage(c.text("sub"))
		return nil
	}
	var groups []string
	for _, g := range c.list(p.config.GroupsClaim) {
		if g == "" || g != printable(g) || isReserved(strings.ToLower(g)) {
			continue
		}
		if groups = append(groups, g); len(groups) == groupLimit {
			break
		}
	}
	return groups
}

func isReserved(group string) bool {
	return slices.ContainsFunc(reservedPrefixes,
		func(prefix string) bool { return strings.HasPrefix(group, prefix) })
}

func (p *Provider) warnOfOverage(subject string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.config.Now(); p.overages.IsZero() || now.Sub(p.overages) >= overagePause {
		p.overages = now
		p.config.Log.Warn("a token does not list its holder's groups, as there are too many; "+
			"it counts as having none. "+
			"Let the identity provider list only groups that are assigned to the application",
			"issuer", p.config.Issuer, "subject", subject)
	}
}

// checkSubject refuses identifiers that could be mistaken for another one.
func checkSubject(id string) error {
	switch {
	case id == "":
		return errors.New("missing")
	case utf8.RuneCountInString(id) > subjectLimit:
		return fmt.Errorf("longer than %d characters", subjectLimit)
	case id != printable(id):
		return errors.New("not made of printable characters without spaces around them")
	}
	return nil
}

// displayName returns the first candidate that can be shown: printable, cut to the length of a
// name, and not the server's own name.
func displayName(candidates ...string) string {
	for _, name := range candidates {
		name = printable(shorten(printable(name), nameLimit))
		if name != "" && !strings.EqualFold(name, action.SystemActor) {
			return name
		}
	}
	return ""
}

// printable removes control characters, other invisible characters, invalid bytes, and spaces
// around the rest.
func printable(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			return r
		}
		return -1
	}, text))
}
