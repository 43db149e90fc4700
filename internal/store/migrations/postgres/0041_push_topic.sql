-- +goose Up
-- To find the devices that enrolled under another topic than the push certificate's without reading all of them.
CREATE INDEX apple_enrollments_topic ON apple_enrollments (topic, stage, device_id);

-- +goose Down
DROP INDEX apple_enrollments_topic;
