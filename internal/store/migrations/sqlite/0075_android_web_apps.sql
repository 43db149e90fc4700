-- +goose Up
CREATE TABLE android_web_apps (
  payload_id TEXT PRIMARY KEY, -- outlives the payload until Google has forgotten the app
  package    TEXT NOT NULL, -- empty: Google has not made it yet
  doc        TEXT NOT NULL -- JSON
);
CREATE INDEX android_web_apps_package ON android_web_apps (package);

-- +goose Down
DROP TABLE android_web_apps;
