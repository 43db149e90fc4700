-- +goose Up
-- Which system manages the device; empty: this server.
ALTER TABLE devices ADD COLUMN authority TEXT COLLATE "C" NOT NULL DEFAULT '';

-- What another system assigns to its devices, as a channel to it saw last.
CREATE TABLE mirrored_payloads (
    device_id    TEXT COLLATE "C" NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    payload_id   TEXT COLLATE "C" NOT NULL,
    type         BIGINT NOT NULL, -- action.PayloadType
    identifier   TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    sub_type     TEXT COLLATE "C" NOT NULL,
    created      BIGINT,
    PRIMARY KEY (device_id, payload_id)
);

-- +goose Down
DROP TABLE mirrored_payloads;
ALTER TABLE devices DROP COLUMN authority;
