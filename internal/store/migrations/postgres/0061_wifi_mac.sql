-- +goose Up
ALTER TABLE devices ADD COLUMN wifi_mac TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE devices DROP COLUMN wifi_mac;
