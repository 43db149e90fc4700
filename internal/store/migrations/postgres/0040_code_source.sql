-- +goose Up
-- Whose the code of a failure is (action.Source): devices have codes that are the same numbers as the server's own, -1 to -5.
ALTER TABLE events ADD COLUMN code_source BIGINT NOT NULL DEFAULT 0;
UPDATE events SET code_source = 1 WHERE code IS NOT NULL AND (code > 0 OR code < -5);
DROP INDEX events_failures;
CREATE INDEX events_failures ON events (at, position, code, code_source) WHERE code IS NOT NULL;

-- +goose Down
DROP INDEX events_failures;
CREATE INDEX events_failures ON events (at, position, code) WHERE code IS NOT NULL;
ALTER TABLE events DROP COLUMN code_source;
