-- +goose Up
CREATE TABLE catalog_payloads (
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
    UNIQUE (class, family, identifier)
);
CREATE INDEX catalog_payloads_odata_type ON catalog_payloads (odata_type, id);

-- Every revision that a payload's versions had: a device that holds an old version must not be taken for current.
CREATE TABLE catalog_revisions (
    payload_id TEXT NOT NULL REFERENCES catalog_payloads (id) ON DELETE CASCADE,
    revision   TEXT NOT NULL,
    PRIMARY KEY (payload_id, revision)
) WITHOUT ROWID;

CREATE TABLE catalog_groups (
    id           TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    description  TEXT NOT NULL,
    created      INTEGER NOT NULL
);

CREATE TABLE catalog_members (
    group_id  TEXT NOT NULL REFERENCES catalog_groups (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, device_id)
) WITHOUT ROWID;
CREATE INDEX catalog_members_device ON catalog_members (device_id, group_id);

CREATE TABLE catalog_assignments (
    id         TEXT PRIMARY KEY,
    payload_id TEXT NOT NULL REFERENCES catalog_payloads (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,    -- catalog.TargetKind: allDevices, group, excludeGroup, device
    target     TEXT NOT NULL,    -- id of the group or device; empty: all devices
    position   INTEGER NOT NULL, -- place in the list as it was given
    UNIQUE (payload_id, kind, target)
);
CREATE INDEX catalog_assignments_target ON catalog_assignments (kind, target, payload_id);

-- Changes of who gets what, to be spread to the devices that they concern.
CREATE TABLE catalog_changes (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    kind   TEXT NOT NULL,           -- allDevices, group or device
    target TEXT NOT NULL,           -- id of the group or device; empty: all devices
    cursor TEXT NOT NULL DEFAULT '' -- the last device id that it has been spread to
);

-- +goose Down
DROP TABLE catalog_changes;
DROP TABLE catalog_assignments;
DROP TABLE catalog_members;
DROP TABLE catalog_groups;
DROP TABLE catalog_revisions;
DROP TABLE catalog_payloads;
