-- +goose Up
-- What actions hold off devices now: the same as in the ledgers, to be found over the whole fleet.
CREATE TABLE removals (
    device_id    TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    payload_id   TEXT NOT NULL,
    type         INTEGER NOT NULL, -- action.PayloadType
    display_name TEXT NOT NULL,
    sub_type     TEXT NOT NULL,
    since        INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    restore_at   INTEGER, -- NULL: never by itself
    PRIMARY KEY (device_id, payload_id)
) WITHOUT ROWID;
CREATE INDEX removals_since ON removals (since, device_id, payload_id);

INSERT INTO removals
SELECT l.device_id, p.value ->> 'ID', p.value ->> 'Type', p.value ->> 'DisplayName', p.value ->> 'SubType',
    CAST(unixepoch(coalesce(a.doc ->> 'Started', 'now'), 'subsec') * 1000000 AS INTEGER), coalesce(a.doc ->> 'Actor', ''),
    CAST(unixepoch(p.value ->> 'RestoreAt', 'subsec') * 1000000 AS INTEGER)
FROM ledgers l, json_each(l.doc, '$.Device.Payloads') p
    LEFT JOIN actions a ON a.device_id = l.device_id AND a.number = (SELECT max(number) FROM actions WHERE device_id = l.device_id)
WHERE p.value ->> 'Away' AND coalesce(p.value ->> 'Intent', 0) = 0;

-- The code of an event that tells that a payload failed. To be overtaken by a later action (-1) is no failure.
ALTER TABLE events ADD COLUMN code INTEGER;
UPDATE events SET code = doc ->> '$.Result.Code' WHERE doc ->> '$.Result.Status' = 3 AND doc ->> '$.Result.Code' <> -1;
CREATE INDEX events_failures ON events (at) WHERE code IS NOT NULL;

CREATE INDEX actions_by_state ON actions (state, device_id);

-- Names and serial numbers in pieces of three characters. The key stands for the device's id: a full-text table wants
-- numbers.
CREATE TABLE device_keys (
    key       INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL UNIQUE REFERENCES devices (id) ON DELETE CASCADE
);
INSERT INTO device_keys (device_id) SELECT id FROM devices;
CREATE VIRTUAL TABLE device_search USING fts5 (name, serial_number, content = '', contentless_delete = 1, tokenize = 'trigram');
INSERT INTO device_search (rowid, name, serial_number) SELECT key, name, serial_number FROM devices JOIN device_keys ON device_id = id;

-- +goose StatementBegin
CREATE TRIGGER devices_found AFTER INSERT ON devices BEGIN
    INSERT INTO device_keys (device_id) VALUES (new.id);
    INSERT INTO device_search (rowid, name, serial_number) SELECT key, new.name, new.serial_number FROM device_keys WHERE device_id = new.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER devices_renamed AFTER UPDATE OF name, serial_number ON devices
WHEN old.name <> new.name OR old.serial_number <> new.serial_number BEGIN
    UPDATE device_search SET name = new.name, serial_number = new.serial_number
    WHERE rowid = (SELECT key FROM device_keys WHERE device_id = new.id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER devices_renamed;
DROP TRIGGER devices_found;
DROP TABLE device_search;
DROP TABLE device_keys;
DROP INDEX actions_by_state;
DROP INDEX events_failures;
ALTER TABLE events DROP COLUMN code;
DROP TABLE removals;
