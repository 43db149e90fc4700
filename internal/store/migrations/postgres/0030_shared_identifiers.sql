-- +goose Up
-- Several payloads may have one identifier: on a device the oldest that is wanted has its place.
ALTER TABLE catalog_payloads DROP CONSTRAINT catalog_payloads_class_family_identifier_key;
CREATE INDEX catalog_payloads_identifier ON catalog_payloads (class, family, identifier);

-- +goose Down
-- Fails where two payloads have one identifier: delete one of them first.
DROP INDEX catalog_payloads_identifier;
ALTER TABLE catalog_payloads ADD CONSTRAINT catalog_payloads_class_family_identifier_key UNIQUE (class, family, identifier);
