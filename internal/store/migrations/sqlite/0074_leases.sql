-- +goose Up
CREATE TABLE leases (
  name   TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until  INTEGER NOT NULL -- microseconds
);

-- +goose Down
DROP TABLE leases;
