-- +goose Up
-- Names that callers gave to their calls of the action, which are carried out once.
CREATE TABLE idempotency_keys (
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    caller    TEXT NOT NULL,
    name      TEXT NOT NULL,
    digest    BLOB NOT NULL, -- of what was asked
    used_at   INTEGER NOT NULL,
    PRIMARY KEY (device_id, caller, name)
);
CREATE INDEX idempotency_keys_used_at ON idempotency_keys (used_at);

-- +goose Down
DROP TABLE idempotency_keys;
