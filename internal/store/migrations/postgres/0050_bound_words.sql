-- +goose Up
-- What devices say of themselves is kept up to 256 characters. Longer ones came from before that, and PostgreSQL cannot index
-- them.
UPDATE devices SET name = substr(name, 1, 255) || '…' WHERE length(name) > 256;
UPDATE devices SET manufacturer = substr(manufacturer, 1, 255) || '…' WHERE length(manufacturer) > 256;
UPDATE devices SET model = substr(model, 1, 255) || '…' WHERE length(model) > 256;
UPDATE devices SET os_version = substr(os_version, 1, 255) || '…' WHERE length(os_version) > 256;
UPDATE devices SET serial_number = substr(serial_number, 1, 255) || '…' WHERE length(serial_number) > 256;

-- +goose Down
SELECT 1;
