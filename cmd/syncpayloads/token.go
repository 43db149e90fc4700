package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token and print it. A running server accepts it at once."`
	List   tokenListCommand   `cmd:"" help:"List the tokens, without their secrets."`
	Revoke tokenRevokeCommand `cmd:"" help:"Make a token invalid at once."`
}

// database has the flags that say where the server's database is. Tokens are created in the
// database itself, because the first one cannot be created over the API.
type database struct {
	Data string `help:"Folder of the server's database." default:"${data}" predictor:"folder"`
	DB   string `name:"db" help:"The database, a postgres:// URL, in place of a file in the folder." placeholder:"URL"`
}

// location returns the store's location of the database.
func (d *database) location() (string, error) {
	switch {
	case d.DB != "" && !store.IsPostgres(d.DB):
		return "", usageError("--db: want postgres://user:password@host:port/database; " +
			"without --db, the database is a file in the folder --data")
	case d.DB != "":
		return d.DB, nil
	case d.Data == "":
		return "", usageError("no database: give --data, the folder where the server keeps it, " +
			"or --db, its postgres:// URL")
	}
	return filepath.Join(d.Data, server.DatabaseFile), nil
}

func (d *database) open(ctx context.Context, use func(*store.Store) error) error {
	location, err := d.location()
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, location)
	if err != nil {
		return err
	}
	return errors.Join(use(st), st.Close())
}

func (d *database) tokens(ctx context.Context, use func(*access.Tokens) error) error {
	return d.open(ctx, func(st *store.Store) error { return use(access.NewTokens(st, time.Now)) })
}

// withAuditDraft returns a context whose write is recorded in the audit record, with the user of
// this machine as the actor.
func withAuditDraft(ctx context.Context, activity string, kind audit.Kind) context.Context {
	name := "unknown user"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return audit.With(ctx, &audit.Draft{Entry: audit.Entry{ID: uuid.NewString(),
		At: time.Now().UTC(), Activity: activity, Kind: kind,
		Result: audit.Success, Actor: audit.Actor{ID: "local:" + name,
			Name: name + " (command line)"}}})
}

type tokenCreateCommand struct {
	database  `embed:""`
	Name      string        `arg:"" help:"Who will use it; actions are recorded under this name."`
	Role      string        `help:"What it allows: a role's name or id; syncpayloads role list shows them." default:"Administrator" placeholder:"ROLE"`
	Group     []string      `help:"Limit it to the devices of this group, by name or id. May be repeated." sep:"none" placeholder:"GROUP"`
	ScopeTag  []string      `help:"Limit it to what carries this scope tag, by name or id. May be repeated." sep:"none" placeholder:"TAG"`
	ExpiresIn time.Duration `help:"How long it is valid; 0: until it is revoked." default:"0" placeholder:"DURATION"`
	JSON      bool          `name:"json" help:"Print JSON."`
}

// Run creates the token and prints it.
func (t *tokenCreateCommand) Run(ctx context.Context, out io.Writer) error {
	return t.tokens(ctx, func(tokens *access.Tokens) error {
		made, bearer, err := tokens.Create(withAuditDraft(ctx, "tokens.create", audit.Create),
			access.TokenInput{Name: t.Name, TTL: t.ExpiresIn, Role: t.Role, Groups: t.Group,
				Tags: t.ScopeTag})
		if errors.Is(err, access.ErrExists) {
			return fmt.Errorf("a token %q exists: choose another name, "+
				"or revoke it with `syncpayloads token revoke`", t.Name)
		}
		if err != nil {
			return err
		}
		if t.JSON {
			line := tokenLine(made)
			line.Token = bearer
			return printJSON(out, line)
		}
		fmt.Fprintln(out, bearer)
		return nil
	})
}

type listedToken struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Token    string    `json:"token,omitempty"`
	Role     string    `json:"role"`
	Groups   []string  `json:"groups,omitempty"`
	Tags     []string  `json:"scopeTags,omitempty"`
	Created  time.Time `json:"createdDateTime"`
	Expires  time.Time `json:"expiresDateTime,omitzero"`
	LastUsed time.Time `json:"lastUsedDateTime,omitzero"`
}

func tokenLine(t access.Token) listedToken {
	return listedToken{ID: t.ID, Name: t.Name, Role: t.Role, Groups: t.Groups, Tags: t.Tags,
		Created: t.Created, Expires: t.Expires,
		LastUsed: t.LastUsed}
}

// limits describes, for people, where a token's role holds.
func (t *listedToken) limits() string {
	var limits []string
	if t.Groups != nil {
		limits = append(limits, "groups "+strings.Join(t.Groups, ", "))
	}
	if t.Tags != nil {
		limits = append(limits, "scope tags "+strings.Join(t.Tags, ", "))
	}
	if limits == nil {
		return "everywhere"
	}
	return strings.Join(limits, "; ")
}

type tokenListCommand struct {
	database `embed:""`
	JSON     bool `name:"json" help:"Print JSON."`
}

// Run lists the tokens.
func (t *tokenListCommand) Run(ctx context.Context, out io.Writer) error {
	return t.tokens(ctx, func(tokens *access.Tokens) error {
		found, err := tokens.List(ctx)
		if err != nil {
			return err
		}
		listed, rows := make([]listedToken, len(found)), make([][]string, len(found))
		for i, token := range found {
			listed[i] = tokenLine(token)
			rows[i] = []string{token.ID, token.Name, token.Role, listed[i].limits(),
				moment(token.Created), moment(token.Expires),
				moment(token.LastUsed)}
		}
		if t.JSON {
			return printJSON(out, listed)
		}
		return printTable(out, []string{"id", "name", "role", "where", "created", "expires",
			"last used"}, rows)
	})
}

type tokenRevokeCommand struct {
	database `embed:""`
	Token    string `arg:"" help:"The token's id or name."`
}

// Run revokes the token.
func (t *tokenRevokeCommand) Run(ctx context.Context) error {
	return t.tokens(ctx, func(tokens *access.Tokens) error {
		err := tokens.Revoke(withAuditDraft(ctx, "tokens.delete", audit.Delete), t.Token)
		if errors.Is(err, access.ErrNotFound) {
			return fmt.Errorf("there is no token with the id or name %q; "+
				"`syncpayloads token list` shows them", t.Token)
		}
		return err
	})
}
