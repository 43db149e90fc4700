-- +goose Up
-- What SQLite and PostgreSQL read alike: lists between commas as scope_tags has them, JSON as text, and the actor of an
-- action in a column.
UPDATE role_assignments SET
    group_ids = CASE group_ids WHEN '[]' THEN ',' ELSE replace(replace(replace(group_ids, '["', ','), '"]', ','), '","', ',') END,
    tag_ids = CASE tag_ids WHEN '[]' THEN ',' ELSE replace(replace(replace(tag_ids, '["', ','), '"]', ','), '","', ',') END;

UPDATE catalog_payloads SET properties = CAST(properties AS TEXT);

ALTER TABLE actions ADD COLUMN actor TEXT NOT NULL DEFAULT '';
UPDATE actions SET actor = coalesce(doc ->> '$.Actor', '');

-- +goose Down
ALTER TABLE actions DROP COLUMN actor;
UPDATE catalog_payloads SET properties = CAST(properties AS BLOB);
UPDATE role_assignments SET
    group_ids = '["' || replace(trim(group_ids, ','), ',', '","') || '"]',
    tag_ids = '["' || replace(trim(tag_ids, ','), ',', '","') || '"]';
UPDATE role_assignments SET group_ids = '[]' WHERE group_ids = '[""]';
UPDATE role_assignments SET tag_ids = '[]' WHERE tag_ids = '[""]';
