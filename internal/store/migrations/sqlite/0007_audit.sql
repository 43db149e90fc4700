-- +goose Up
-- The record of who did what. STRICT: a column holds the type that was hashed, and no other that reads the same.
CREATE TABLE audit_entries (
    sequence   INTEGER PRIMARY KEY, -- from 1 without a gap
    id         TEXT NOT NULL UNIQUE CHECK (id <> ''),
    at         INTEGER NOT NULL,
    actor_id   TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    address    TEXT NOT NULL,
    roles      TEXT NOT NULL,       -- with U+001F between two
    activity   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    objects    TEXT NOT NULL,       -- JSON, to the byte as it was hashed
    result     TEXT NOT NULL,
    status     INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    request    TEXT NOT NULL,
    skipped    INTEGER NOT NULL,
    previous   BLOB NOT NULL,       -- hash of the entry before; empty: it is the first
    hash       BLOB NOT NULL
) STRICT;
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, sequence);

-- The last entry, so that one taken away from the end is missed, and so that nothing but this row says what comes next.
CREATE TABLE audit_head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL,
    hash     BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (one, sequence, hash) VALUES (1, 0, x'');

-- +goose StatementBegin
CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'the audit record is append only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_last BEFORE DELETE ON audit_entries
BEGIN SELECT RAISE(ABORT, 'the audit record is append only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'the audit record is append only'); END;
-- +goose StatementEnd

-- When an action was started, in microseconds, for the list of those of all devices. In the document it is RFC 3339 in
-- UTC, with up to nine decimals.
ALTER TABLE actions ADD COLUMN started INTEGER NOT NULL DEFAULT 0;
UPDATE actions SET started = CAST(strftime('%s', substr(doc ->> '$.Started', 1, 19)) AS INTEGER) * 1000000
    + CAST(substr(rtrim(substr(doc ->> '$.Started', 21), 'Z') || '000000', 1, 6) AS INTEGER);
CREATE INDEX actions_started ON actions (started, id);

-- +goose Down
DROP INDEX actions_started;
ALTER TABLE actions DROP COLUMN started;
DROP TABLE audit_head;
DROP TABLE audit_entries;
