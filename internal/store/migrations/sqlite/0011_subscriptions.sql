-- +goose Up
CREATE TABLE subscriptions (
    id            TEXT PRIMARY KEY,
    owner         TEXT NOT NULL, -- access.Identity.ID
    -- No reference: a subscription that went away with its token could not say so to its receiver.
    token_id      TEXT,          -- of the owner; NULL: the owner is no local token
    identity      TEXT NOT NULL, -- JSON
    device_id     TEXT NOT NULL, -- empty: all devices
    doc           TEXT NOT NULL, -- JSON: notify.Terms
    secret        TEXT NOT NULL, -- signs what is sent
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    remind_at     INTEGER,       -- when the owner is told that it expires; NULL: they were
    position      INTEGER NOT NULL, -- of the last event that was delivered or passed over
    paused        INTEGER NOT NULL DEFAULT 0, -- the owner's rights do not cover it
    look_at       INTEGER NOT NULL, -- when it is looked at though nothing has happened
    not_before    INTEGER NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0, -- that failed since the last delivery
    trying_since  INTEGER, -- first failure of what is tried now
    failing_since INTEGER, -- first failure since the last delivery
    delivered_at  INTEGER,
    last_error    TEXT NOT NULL DEFAULT '',
    claimed_by    TEXT NOT NULL DEFAULT '', -- the process that is at it
    claimed_until INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX subscriptions_owner ON subscriptions (owner, id);

-- Lifecycle notifications that wait to be delivered. They outlive their subscription.
CREATE TABLE subscription_notices (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription_id TEXT NOT NULL,
    event           TEXT NOT NULL,
    url             TEXT NOT NULL,
    secret          TEXT NOT NULL,
    body            TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    not_before      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    claimed_by      TEXT NOT NULL DEFAULT '',
    claimed_until   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (subscription_id, event)
);

-- The GUID by which receivers tell this server from others.
CREATE TABLE tenant (id TEXT NOT NULL);
INSERT INTO tenant (id) VALUES (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
    || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))));

-- +goose Down
DROP TABLE tenant;
DROP TABLE subscription_notices;
DROP TABLE subscriptions;
