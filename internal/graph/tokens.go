package graph

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// Tokens keeps the server's own bearer tokens. *access.Tokens implements it; its errors are *catalog.Invalid,
// *access.NotHeld, access.ErrExists and access.ErrNotFound.
type Tokens interface {
	// Create makes a token and returns its bearer, which cannot be shown again.
	Create(ctx context.Context, in access.TokenInput) (access.Token, string, error)
	// List returns all tokens, by name.
	List(ctx context.Context) ([]access.Token, error)
	// RevokeBy makes the token of this id invalid at once.
	RevokeBy(ctx context.Context, by *access.Principal, id string) error
}

var tokens = &resource{name: "tokens", path: "/api/tokens", object: "token", noun: "token", category: categoryOther}

// tokenRoutes are for the server's own tokens. None of them is Graph's.
func tokenRoutes() []route {
	return []route{
		tokens.route(toList, may(access.ReadTokens), nil, (*call).listTokens),
		tokens.route(toCreate, may(access.CreateTokens), nil, (*call).createToken),
		tokens.route(toDelete, may(access.DeleteTokens), nil, (*call).revokeToken),
	}
}

const longestTokenTTL = 3650 * day

// tokenFields shows a token without its secret. A role of null has been taken from it; limits of null are none.
func tokenFields(t *access.Token) fields {
	return fields{
		{"id", t.ID},
		{"name", t.Name},
		{"role", textOrNull(t.Role)},
		{"roleId", textOrNull(t.RoleID)},
		{"resourceScopes", t.Groups},
		{tagProperty, t.Tags},
		{"createdDateTime", timestamp(t.Created)},
		{"expiresDateTime", timestamp(t.Expires)},
		{"lastUsedDateTime", timestamp(t.LastUsed)},
	}
}

func (c *call) listTokens() error {
	list, err := c.Tokens.List(c.r.Context())
	if err != nil {
		return err
	}
	items := make([]fields, len(list))
	for i := range list {
		items[i] = tokenFields(&list[i])
	}
	return c.ownList(items, nil)
}

// createToken answers with the new token's bearer, once.
func (c *call) createToken() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	in, err := tokenInput(body)
	if err != nil {
		return err
	}
	in.By = c.caller
	made, bearer, err := c.Tokens.Create(c.r.Context(), in)
	if errors.Is(err, access.ErrExists) {
		return badRequest("name", "Property 'name' is not valid: another token has this name.")
	}
	if err != nil {
		return c.roleFault(err)
	}
	return c.reply(http.StatusCreated, append(tokenFields(&made), field{"token", bearer}))
}

func tokenInput(body *object) (in access.TokenInput, err error) {
	if err := body.only("name", "role", "resourceScopes", tagProperty, "expiresIn"); err != nil {
		return in, err
	}
	if in.Name, err = body.requiredText("name"); err != nil {
		return in, err
	}
	if in.Role, err = body.requiredText("role"); err != nil {
		return in, err
	}
	if in.Groups, err = body.optionalTexts("resourceScopes"); err != nil {
		return in, err
	}
	if in.Tags, err = body.optionalTexts(tagProperty); err != nil {
		return in, err
	}
	in.TTL, err = body.tokenTTL()
	return in, err
}

// tokenTTL is how long a token shall be valid; 0: until it is revoked.
func (o *object) tokenTTL() (time.Duration, error) {
	text, given, err := o.text("expiresIn")
	if err != nil || !given {
		return 0, err
	}
	ttl, ok := parseDuration(text)
	if !ok || ttl <= 0 || ttl > longestTokenTTL {
		return 0, badRequest("expiresIn", "Property 'expiresIn' is not valid: give a duration such as 720h or P30D, at most %d days, or leave it out.",
			longestTokenTTL/day)
	}
	return ttl, nil
}

func (c *call) revokeToken() error {
	if err := c.Tokens.RevokeBy(c.r.Context(), c.caller, c.r.PathValue("id")); err != nil {
		return c.roleFault(err)
	}
	return c.noContent()
}
