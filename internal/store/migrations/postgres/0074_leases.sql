-- +goose Up
CREATE TABLE leases (
  name   TEXT COLLATE "C" PRIMARY KEY,
  holder TEXT COLLATE "C" NOT NULL,
  until  BIGINT NOT NULL -- microseconds
);

-- +goose Down
DROP TABLE leases;
