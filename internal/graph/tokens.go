package graph

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// Tokens keeps the server's own bearer tokens. *access.Tokens implements it; its errors are
// *invalid.Input, *access.NotHeld, access.ErrExists and access.ErrNotFound.
type Tokens interface {
	// Create makes a token and returns its bearer, which cannot be shown again.
	Create(ctx context.Context, in access.TokenInput) (access.Token, string, error)
	// List returns all tokens, by name.
	List(ctx context.Context) ([]access.Token, error)
	// RevokeBy makes the token of this id invalid at once.
	RevokeBy(ctx context.Context, by *access.Principal, id string) error
}

var tokens = &resource{name: "tokens", path: "/api/tokens", object: "token", noun: "token",
	category: categoryOther}

// tokenRoutes are for the server's own tokens. None of them is Graph's.
func tokenRoutes() []route {
	return []route{
		tokens.route(toList, may(access.ReadTokens), nil, (*call).listTokens),
		tokens.route(toCreate, may(access.CreateTokens), nil, (*call).createToken),
		tokens.route(toDelete, may(access.DeleteTokens), nil, (*call).revokeToken),
	}
}

const longestTokenTTL = 3650 * day

// tokenFields shows a token without its secret. A role of null has been taken from it; limits of
// null are none.
func tokenFields(t *access.Token) odata.Fields {
	return odata.Fields{
		{"id", t.ID},
		{"name", t.Name},
		{"role", odata.TextOrNull(t.Role)},
		{"roleId", odata.TextOrNull(t.RoleID)},
		{"resourceScopes", t.Groups},
		{tagProperty, t.Tags},
		{"createdDateTime", odata.Timestamp(t.Created)},
		{"expiresDateTime", odata.Timestamp(t.Expires)},
		{"lastUsedDateTime", odata.Timestamp(t.LastUsed)},
	}
}

func (c *call) listTokens() error {
	list, err := c.config.Tokens.List(c.req.Context())
	if err != nil {
		return err
	}
	items := make([]odata.Fields, len(list))
	for i := range list {
		items[i] = tokenFields(&list[i])
	}
	return c.req.ReplyOwnPage(items, nil)
}

// createToken answers with the new token's bearer, once.
func (c *call) createToken() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	in, err := tokenInput(body)
	if err != nil {
		return err
	}
	in.By = c.caller
	made, bearer, err := c.config.Tokens.Create(c.req.Context(), in)
	if errors.Is(err, access.ErrExists) {
		return odata.BadRequest("name",
			"Property 'name' is not valid: another token has this name.")
	}
	if err != nil {
		return c.roleFault(err)
	}
	return c.req.Reply(http.StatusCreated, append(tokenFields(&made), odata.Field{"token", bearer}))
}

func tokenInput(body *odata.Object) (in access.TokenInput, err error) {
	if err := body.Only("name", "role", "resourceScopes", tagProperty, "expiresIn"); err != nil {
		return in, err
	}
	if in.Name, err = body.RequiredText("name"); err != nil {
		return in, err
	}
	if in.Role, err = body.RequiredText("role"); err != nil {
		return in, err
	}
	if in.Groups, err = body.OptionalTexts("resourceScopes"); err != nil {
		return in, err
	}
	if in.Tags, err = body.OptionalTexts(tagProperty); err != nil {
		return in, err
	}
	in.TTL, err = readTokenTTL(body)
	return in, err
}

// readTokenTTL is how long a token shall be valid; 0: until it is revoked.
func readTokenTTL(o *odata.Object) (time.Duration, error) {
	text, given, err := o.Text("expiresIn")
	if err != nil || !given {
		return 0, err
	}
	ttl, ok := odata.ParseDuration(text)
	if !ok || ttl <= 0 || ttl > longestTokenTTL {
		return 0, odata.BadRequest("expiresIn",
			"Property 'expiresIn' is not valid: give a duration such as 720h or P30D, at most %d days, or leave it out.",
			longestTokenTTL/day)
	}
	return ttl, nil
}

func (c *call) revokeToken() error {
	if err := c.config.Tokens.RevokeBy(c.req.Context(), c.caller,
		c.req.PathValue("id")); err != nil {
		return c.roleFault(err)
	}
	return c.req.ReplyNoContent()
}
