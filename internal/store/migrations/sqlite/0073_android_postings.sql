-- +goose Up
CREATE TABLE android_postings (
  enrollment TEXT NOT NULL REFERENCES android_enrollments (name),
  mark       INTEGER NOT NULL,
  hash       TEXT NOT NULL,
  version    INTEGER NOT NULL, -- 0: not known yet
  manifest   TEXT NOT NULL, -- JSON
  PRIMARY KEY (enrollment, mark)
);

-- +goose Down
DROP TABLE android_postings;
