-- +goose Up
ALTER TABLE devices ADD COLUMN wifi_mac TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE devices DROP COLUMN wifi_mac;
