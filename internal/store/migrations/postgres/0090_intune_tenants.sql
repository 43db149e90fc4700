-- +goose Up
-- Tenants of Intune that are connected. Their keys and secrets are in key_pairs.
CREATE TABLE intune_tenants (
    id       TEXT COLLATE "C" PRIMARY KEY,
    name     TEXT COLLATE "C" NOT NULL UNIQUE,
    settings TEXT COLLATE "C" NOT NULL, -- JSON: what an admin said
    state    TEXT COLLATE "C" NOT NULL  -- JSON: how the server and the tenant get on
);

-- How fast each tenant may be asked, by all servers together.
CREATE TABLE intune_paces (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES intune_tenants (id) ON DELETE CASCADE,
    bucket TEXT COLLATE "C" NOT NULL,
    pace   TEXT COLLATE "C" NOT NULL, -- JSON
    PRIMARY KEY (tenant, bucket)
);

-- +goose Down
DROP TABLE intune_paces;
DROP TABLE intune_tenants;
