-- +goose Up
-- Which system manages the device; empty: this server.
ALTER TABLE devices ADD COLUMN authority TEXT NOT NULL DEFAULT '';

-- What another system assigns to its devices, as a channel to it saw last.
CREATE TABLE mirrored_payloads (
    device_id    TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    payload_id   TEXT NOT NULL,
    type         INTEGER NOT NULL, -- action.PayloadType
    identifier   TEXT NOT NULL,
    display_name TEXT NOT NULL,
    sub_type     TEXT NOT NULL,
    created      INTEGER,
    PRIMARY KEY (device_id, payload_id)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE mirrored_payloads;
ALTER TABLE devices DROP COLUMN authority;
