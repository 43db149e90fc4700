-- +goose Up
CREATE TABLE android_setup (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  doc TEXT NOT NULL -- JSON
);
CREATE TABLE android_tokens (
  id       TEXT PRIMARY KEY,
  name     TEXT NOT NULL UNIQUE, -- Google's
  mode     TEXT NOT NULL,
  one_time INTEGER NOT NULL,
  created  INTEGER NOT NULL, -- microseconds
  expires  INTEGER NOT NULL,
  revoked  INTEGER NOT NULL DEFAULT 0,
  terms    TEXT NOT NULL -- JSON
);

-- +goose Down
DROP TABLE android_tokens;
DROP TABLE android_setup;
