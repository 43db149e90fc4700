-- +goose Up
ALTER TABLE devices ADD COLUMN enrollment_type TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE devices DROP COLUMN enrollment_type;
