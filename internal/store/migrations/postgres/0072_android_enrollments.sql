-- +goose Up
CREATE TABLE android_enrollments (
  name      TEXT COLLATE "C" PRIMARY KEY, -- Google's of the device
  device_id TEXT COLLATE "C", -- NULL until the engine knows it
  udid      TEXT COLLATE "C" NOT NULL,
  standing  TEXT COLLATE "C" NOT NULL,
  state     TEXT COLLATE "C" NOT NULL -- JSON
);
CREATE INDEX android_enrollments_device ON android_enrollments (device_id);
CREATE INDEX android_enrollments_udid ON android_enrollments (udid);

-- +goose Down
DROP TABLE android_enrollments;
