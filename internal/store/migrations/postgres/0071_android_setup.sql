-- +goose Up
CREATE TABLE android_setup (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  doc TEXT COLLATE "C" NOT NULL -- JSON
);
CREATE TABLE android_tokens (
  id       TEXT COLLATE "C" PRIMARY KEY,
  name     TEXT COLLATE "C" NOT NULL UNIQUE, -- Google's
  mode     TEXT COLLATE "C" NOT NULL,
  one_time BOOLEAN NOT NULL,
  created  BIGINT NOT NULL, -- microseconds
  expires  BIGINT NOT NULL,
  revoked  BOOLEAN NOT NULL DEFAULT FALSE,
  terms    TEXT COLLATE "C" NOT NULL -- JSON
);

-- +goose Down
DROP TABLE android_tokens;
DROP TABLE android_setup;
