-- +goose Up
-- Tenants of Intune that are connected. Their keys and secrets are in key_pairs.
CREATE TABLE intune_tenants (
    id       TEXT PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL, -- JSON: what an admin said
    state    TEXT NOT NULL  -- JSON: how the server and the tenant get on
);

-- How fast each tenant may be asked, by all servers together.
CREATE TABLE intune_paces (
    tenant TEXT NOT NULL REFERENCES intune_tenants (id) ON DELETE CASCADE,
    bucket TEXT NOT NULL,
    pace   TEXT NOT NULL, -- JSON
    PRIMARY KEY (tenant, bucket)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE intune_paces;
DROP TABLE intune_tenants;
