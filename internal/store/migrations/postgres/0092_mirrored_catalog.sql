-- +goose Up
-- The name of the system that keeps a policy or app, which is only shown here; empty: this server does.
ALTER TABLE catalog_payloads ADD COLUMN mirrored_from TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX catalog_payloads_mirrored ON catalog_payloads (mirrored_from, id) WHERE mirrored_from <> '';

-- +goose Down
DROP INDEX catalog_payloads_mirrored;
ALTER TABLE catalog_payloads DROP COLUMN mirrored_from;
