-- +goose Up
-- Custom roles. The built-in ones are the program's own, and so role_id below refers to no table.
CREATE TABLE role_definitions (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    rights      TEXT NOT NULL -- names, as a JSON array
);
CREATE UNIQUE INDEX role_definitions_name ON role_definitions (lower(name));

CREATE TABLE role_assignments (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    role_id     TEXT NOT NULL,
    group_ids   TEXT, -- a JSON array; NULL: not limited to groups of devices
    tag_ids     TEXT, -- a JSON array; NULL: not limited to scope tags
    token_id    TEXT UNIQUE REFERENCES tokens (id) ON DELETE CASCADE -- NULL: it belongs to no token
);
CREATE INDEX role_assignments_role ON role_assignments (role_id, id);

CREATE TABLE role_members (
    member        TEXT NOT NULL, -- token:<id>, user:<subject>, app:<client id>, or a group of the identity provider
    assignment_id TEXT NOT NULL REFERENCES role_assignments (id) ON DELETE CASCADE,
    position      INTEGER NOT NULL, -- place in the list as it was given
    PRIMARY KEY (member, assignment_id)
) WITHOUT ROWID;
CREATE INDEX role_members_assignment ON role_members (assignment_id, position);

-- AUTOINCREMENT: an id is never given twice, or who was limited to a deleted tag would get the next one's things.
CREATE TABLE scope_tags (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE GENERATED ALWAYS AS (CAST(number AS TEXT)) STORED,
    name        TEXT NOT NULL,
    description TEXT NOT NULL
);
CREATE UNIQUE INDEX scope_tags_name ON scope_tags (lower(name));
INSERT INTO scope_tags (number, name, description) VALUES (0, 'Default', 'What was given no other scope tag carries this one.');

-- Ids between commas, one before and one behind.
ALTER TABLE devices ADD COLUMN scope_tags TEXT NOT NULL DEFAULT ',0,';
ALTER TABLE catalog_payloads ADD COLUMN scope_tags TEXT NOT NULL DEFAULT ',0,';

ALTER TABLE tokens ADD COLUMN last_used INTEGER; -- NULL: never

-- Tokens from before there were roles allowed everything, and go on to: each gets the role Administrator.
INSERT INTO role_assignments (id, name, description, role_id, token_id)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8'
        || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), name, '', 'cbf59b64-fba9-4989-8c8b-013822e0bdbe', id
FROM tokens;
INSERT INTO role_members (member, assignment_id, position)
SELECT 'token:' || token_id, id, 0 FROM role_assignments;

-- +goose Down
ALTER TABLE tokens DROP COLUMN last_used;
ALTER TABLE catalog_payloads DROP COLUMN scope_tags;
ALTER TABLE devices DROP COLUMN scope_tags;
DROP TABLE scope_tags;
DROP TABLE role_members;
DROP TABLE role_assignments;
DROP TABLE role_definitions;
