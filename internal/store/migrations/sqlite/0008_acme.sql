-- +goose Up
-- What the ACME client keeps: certificates with their keys, the account's key, answers to challenges in progress.
CREATE TABLE acme_cache (
    name TEXT PRIMARY KEY,
    data BLOB NOT NULL
);

-- +goose Down
DROP TABLE acme_cache;
