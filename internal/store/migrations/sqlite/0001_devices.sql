-- +goose Up
CREATE TABLE devices (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    platform      TEXT NOT NULL,
    manufacturer  TEXT NOT NULL,
    model         TEXT NOT NULL,
    os_version    TEXT NOT NULL,
    serial_number TEXT NOT NULL,
    udid          TEXT NOT NULL UNIQUE,
    supervised    INTEGER NOT NULL,
    user_enrolled INTEGER NOT NULL,
    enrolled      INTEGER NOT NULL,
    enrolled_at   INTEGER, -- times are microseconds since 1970 UTC; NULL: never
    last_sync     INTEGER
);
CREATE INDEX devices_name ON devices (name, id);
CREATE INDEX devices_last_sync ON devices (last_sync, id);

-- What the rules know of a device, as one document: a device's every step reads and writes it whole.
CREATE TABLE ledgers (
    device_id TEXT PRIMARY KEY REFERENCES devices (id),
    revision  INTEGER NOT NULL DEFAULT 0, -- grows with every change
    due_at    INTEGER,
    changed   INTEGER NOT NULL DEFAULT 0, -- the catalog changed what is assigned to the device
    doc       TEXT NOT NULL
);
CREATE INDEX ledgers_due ON ledgers (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE actions (
    id        TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id),
    number    INTEGER NOT NULL,
    name      TEXT NOT NULL,
    state     INTEGER NOT NULL,
    doc       TEXT NOT NULL,
    UNIQUE (device_id, number)
);
CREATE INDEX actions_latest ON actions (device_id, name, number);

-- +goose Down
DROP TABLE actions;
DROP TABLE ledgers;
DROP TABLE devices;
