package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token and print it. A running server accepts it at once."`
	List   tokenListCommand   `cmd:"" help:"List the tokens, without their secrets."`
	Revoke tokenRevokeCommand `cmd:"" help:"Make a token invalid at once."`
}

// database is where the server keeps everything. Tokens are made in the file itself, because there must be a first.
type database struct {
	Data string `help:"Folder of the server's database." default:"${data}" predictor:"folder"`
}

func (d *database) tokens(ctx context.Context, use func(*access.Tokens) error) error {
	if d.Data == "" {
		return usageError("no folder: give --data, where the server keeps its database")
	}
	st, err := store.Open(ctx, filepath.Join(d.Data, server.DatabaseFile))
	if err != nil {
		return err
	}
	return errors.Join(use(access.NewTokens(st, time.Now)), st.Close())
}

type tokenCreateCommand struct {
	database  `embed:""`
	Name      string        `arg:"" help:"Who will use it; actions are recorded under this name."`
	ExpiresIn time.Duration `help:"How long it is valid; 0: until it is revoked." default:"0" placeholder:"DURATION"`
	JSON      bool          `name:"json" help:"Print JSON."`
}

// Run makes the token.
func (t *tokenCreateCommand) Run(ctx context.Context, out io.Writer) error {
	return t.tokens(ctx, func(tokens *access.Tokens) error {
		made, bearer, err := tokens.Create(ctx, t.Name, t.ExpiresIn)
		if errors.Is(err, access.ErrExists) {
			return fmt.Errorf("a token %q exists: choose another name, or revoke it with `syncpayloads token revoke`", t.Name)
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
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Token   string    `json:"token,omitempty"`
	Created time.Time `json:"createdDateTime"`
	Expires time.Time `json:"expiresDateTime,omitzero"`
}

func tokenLine(t access.Token) listedToken {
	return listedToken{ID: t.ID, Name: t.Name, Created: t.Created, Expires: t.Expires}
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
			rows[i] = []string{token.ID, token.Name, moment(token.Created), moment(token.Expires)}
		}
		if t.JSON {
			return printJSON(out, listed)
		}
		return printTable(out, []string{"id", "name", "created", "expires"}, rows)
	})
}

type tokenRevokeCommand struct {
	database `embed:""`
	Token    string `arg:"" help:"The token's id or name."`
}

// Run revokes the token.
func (t *tokenRevokeCommand) Run(ctx context.Context) error {
	return t.tokens(ctx, func(tokens *access.Tokens) error {
		err := tokens.Revoke(ctx, t.Token)
		if errors.Is(err, access.ErrNotFound) {
			return fmt.Errorf("there is no token with the id or name %q; `syncpayloads token list` shows them", t.Token)
		}
		return err
	})
}
