-- +goose Up
-- What admins say of a device, and that it is to leave management: 1, or 2 with its record.
ALTER TABLE devices ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN leaving INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalog_groups ADD COLUMN mail_nickname TEXT NOT NULL DEFAULT '';

-- +goose StatementBegin
CREATE TRIGGER devices_forgotten BEFORE DELETE ON devices BEGIN
    DELETE FROM device_search WHERE rowid = (SELECT key FROM device_keys WHERE device_id = old.id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER devices_forgotten;
ALTER TABLE catalog_groups DROP COLUMN mail_nickname;
ALTER TABLE devices DROP COLUMN leaving;
ALTER TABLE devices DROP COLUMN owner;
ALTER TABLE devices DROP COLUMN notes;
