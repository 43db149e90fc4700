-- +goose Up
-- Several payloads may have one identifier: on a device the oldest that is wanted has its place. SQLite drops no constraint of
-- a table, so the table is made anew; what refers to it goes with the old one, and is kept meanwhile.
CREATE TABLE catalog_payloads_anew (
    id            TEXT PRIMARY KEY,
    type          INTEGER NOT NULL, -- action.PayloadType
    class         INTEGER NOT NULL, -- action.Class of the type
    family        TEXT NOT NULL,    -- platforms that share identifiers: iOS (with iPadOS and tvOS) or macOS
    platforms     TEXT NOT NULL,    -- between commas, one before and one behind: ,iOS,iPadOS,tvOS,
    odata_type    TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    description   TEXT NOT NULL,
    sub_type      TEXT NOT NULL,
    identifier    TEXT NOT NULL,
    revision      TEXT NOT NULL,
    version       INTEGER NOT NULL,
    content       BLOB NOT NULL,
    original      BLOB,             -- the file as uploaded, where content differs from it
    file_name     TEXT NOT NULL,
    properties    BLOB NOT NULL,
    created       INTEGER NOT NULL,
    last_modified INTEGER NOT NULL,
    scope_tags    TEXT NOT NULL DEFAULT ',0,'
);
INSERT INTO catalog_payloads_anew
    SELECT id, type, class, family, platforms, odata_type, display_name, description, sub_type, identifier, revision, version, content, original,
        file_name, properties, created, last_modified, scope_tags
    FROM catalog_payloads;
CREATE TABLE kept_revisions AS SELECT payload_id, revision FROM catalog_revisions;
CREATE TABLE kept_assignments AS SELECT id, payload_id, kind, target, position FROM catalog_assignments;
DROP TABLE catalog_payloads;
ALTER TABLE catalog_payloads_anew RENAME TO catalog_payloads;
CREATE INDEX catalog_payloads_odata_type ON catalog_payloads (odata_type, id);
CREATE INDEX catalog_payloads_name ON catalog_payloads (type, lower(display_name), id);
CREATE INDEX catalog_payloads_identifier ON catalog_payloads (class, family, identifier);
DELETE FROM catalog_revisions;
INSERT INTO catalog_revisions (payload_id, revision) SELECT payload_id, revision FROM kept_revisions;
DELETE FROM catalog_assignments;
INSERT INTO catalog_assignments (id, payload_id, kind, target, position) SELECT id, payload_id, kind, target, position FROM kept_assignments;
DROP TABLE kept_revisions;
DROP TABLE kept_assignments;

-- +goose Down
-- Fails where two payloads have one identifier: delete one of them first.
DROP INDEX catalog_payloads_identifier;
CREATE UNIQUE INDEX catalog_payloads_identifier ON catalog_payloads (class, family, identifier);
