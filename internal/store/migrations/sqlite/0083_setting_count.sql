-- +goose Up
-- How many settings a policy of the settings catalog has.
ALTER TABLE catalog_payloads ADD COLUMN setting_count INTEGER NOT NULL DEFAULT 0;
UPDATE catalog_payloads SET setting_count = coalesce(json_array_length(properties, '$.settings'), 0)
    WHERE odata_type = 'deviceManagementConfigurationPolicy';

-- +goose Down
ALTER TABLE catalog_payloads DROP COLUMN setting_count;
