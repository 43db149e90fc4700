-- +goose Up
-- Browsers that have signed in. A session of a token ends with it.
CREATE TABLE sessions (
    hash       BLOB PRIMARY KEY, -- SHA-256 of the secret
    token_id   TEXT REFERENCES tokens (id) ON DELETE CASCADE, -- NULL: of an identity provider's user
    identity   TEXT NOT NULL, -- JSON
    expires_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
);
CREATE INDEX sessions_token ON sessions (token_id);

-- Links that sign in once.
CREATE TABLE sign_in_links (
    hash       BLOB PRIMARY KEY, -- SHA-256 of the code
    token_id   TEXT REFERENCES tokens (id) ON DELETE CASCADE,
    identity   TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX sign_in_links_token ON sign_in_links (token_id);

-- +goose Down
DROP TABLE sign_in_links;
DROP TABLE sessions;
