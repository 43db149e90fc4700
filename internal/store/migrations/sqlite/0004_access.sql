-- +goose Up
CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    hash       BLOB NOT NULL, -- SHA-256 of the bearer
    created_at INTEGER NOT NULL,
    expires_at INTEGER -- NULL: never
);

-- +goose Down
DROP TABLE tokens;
