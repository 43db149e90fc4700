-- +goose Up
CREATE TABLE android_enrollments (
  name      TEXT PRIMARY KEY, -- Google's of the device
  device_id TEXT, -- NULL until the engine knows it
  udid      TEXT NOT NULL,
  standing  TEXT NOT NULL,
  state     TEXT NOT NULL -- JSON
);
CREATE INDEX android_enrollments_device ON android_enrollments (device_id);
CREATE INDEX android_enrollments_udid ON android_enrollments (udid);

-- +goose Down
DROP TABLE android_enrollments;
