-- +goose Up
CREATE TABLE android_postings (
  enrollment TEXT COLLATE "C" NOT NULL REFERENCES android_enrollments (name),
  mark       BIGINT NOT NULL,
  hash       TEXT COLLATE "C" NOT NULL,
  version    BIGINT NOT NULL, -- 0: not known yet
  manifest   TEXT COLLATE "C" NOT NULL, -- JSON
  PRIMARY KEY (enrollment, mark)
);

-- +goose Down
DROP TABLE android_postings;
