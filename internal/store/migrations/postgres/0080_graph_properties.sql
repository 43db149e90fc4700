-- +goose Up
-- What admins say of a device, and that it is to leave management: 1, or 2 with its record.
ALTER TABLE devices ADD COLUMN notes TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN owner TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN leaving BIGINT NOT NULL DEFAULT 0;
ALTER TABLE catalog_groups ADD COLUMN mail_nickname TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE catalog_groups DROP COLUMN mail_nickname;
ALTER TABLE devices DROP COLUMN leaving;
ALTER TABLE devices DROP COLUMN owner;
ALTER TABLE devices DROP COLUMN notes;
