-- +goose Up
-- The name by which admins call a device; empty: by its own.
ALTER TABLE devices ADD COLUMN managed_name TEXT NOT NULL DEFAULT '';
CREATE INDEX devices_managed_name ON devices (lower(coalesce(nullif(managed_name, ''), name)), id);

-- +goose Down
DROP INDEX devices_managed_name;
ALTER TABLE devices DROP COLUMN managed_name;
