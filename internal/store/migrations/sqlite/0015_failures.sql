-- +goose Up
-- To count failures by their code from the index alone.
DROP INDEX events_failures;
CREATE INDEX events_failures ON events (at, position, code) WHERE code IS NOT NULL;

-- +goose Down
DROP INDEX events_failures;
CREATE INDEX events_failures ON events (at) WHERE code IS NOT NULL;
