-- +goose Up
CREATE TABLE android_old_policies ( -- which Google is to delete: their devices left
  device_id TEXT COLLATE "C" PRIMARY KEY,
  due       BIGINT  NOT NULL, -- microseconds; not before
  tries     BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX android_old_policies_due ON android_old_policies (due);
INSERT INTO android_old_policies (device_id, due)
SELECT DISTINCT device_id, 0 FROM android_enrollments WHERE device_id IS NOT NULL
  AND device_id NOT IN (SELECT device_id FROM android_enrollments
    WHERE device_id IS NOT NULL AND standing = 'current');

-- +goose Down
DROP TABLE android_old_policies;
