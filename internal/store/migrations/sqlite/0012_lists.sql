-- +goose Up
-- Lists are sorted by these expressions, and then by id.
DROP INDEX devices_name;
CREATE INDEX devices_name ON devices (lower(name), id);
DROP INDEX devices_last_sync;
CREATE INDEX devices_last_sync ON devices (coalesce(last_sync, 0), id);
CREATE INDEX devices_serial_number ON devices (lower(serial_number), id);
CREATE INDEX catalog_payloads_name ON catalog_payloads (type, lower(display_name), id);
CREATE INDEX catalog_groups_name ON catalog_groups (lower(display_name), id);

-- Changes of last_sync are numbered in the order of their commits, so that who walks through a list in that order can tell
-- which devices have changed their place since.
ALTER TABLE devices ADD COLUMN synced INTEGER NOT NULL DEFAULT 0;
CREATE INDEX devices_synced ON devices (synced);
-- +goose StatementBegin
CREATE TRIGGER devices_synced AFTER UPDATE OF last_sync ON devices WHEN old.last_sync IS NOT new.last_sync BEGIN
    UPDATE devices SET synced = 1 + (SELECT max(synced) FROM devices) WHERE id = new.id;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER devices_synced;
DROP INDEX devices_synced;
ALTER TABLE devices DROP COLUMN synced;
DROP INDEX catalog_groups_name;
DROP INDEX catalog_payloads_name;
DROP INDEX devices_serial_number;
DROP INDEX devices_last_sync;
CREATE INDEX devices_last_sync ON devices (last_sync, id);
DROP INDEX devices_name;
CREATE INDEX devices_name ON devices (name, id);
