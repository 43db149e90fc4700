-- +goose Up
CREATE TABLE android_web_apps (
  payload_id TEXT COLLATE "C" PRIMARY KEY, -- outlives the payload until Google has forgotten the app
  package    TEXT COLLATE "C" NOT NULL, -- empty: Google has not made it yet
  doc        TEXT COLLATE "C" NOT NULL -- JSON
);
CREATE INDEX android_web_apps_package ON android_web_apps (package);

-- +goose Down
DROP TABLE android_web_apps;
