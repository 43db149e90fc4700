-- +goose Up
-- AUTOINCREMENT: a position is never given twice, even when all events have been dropped. One writer at a time makes
-- the positions follow the order of the commits.
CREATE TABLE events (
    position  INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id TEXT NOT NULL,
    at        INTEGER NOT NULL,
    doc       TEXT NOT NULL
);
CREATE INDEX events_device ON events (device_id, position);

-- Actions that have not ended: pending and active (actionState 1 and 3).
CREATE INDEX actions_open ON actions (device_id, number) WHERE state IN (1, 3);

-- +goose Down
DROP INDEX actions_open;
DROP TABLE events;
