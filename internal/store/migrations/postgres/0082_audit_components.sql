-- +goose Up
-- Entries are listed and counted by what was done, and by whom, without being read.
CREATE INDEX audit_entries_component ON audit_entries
    (substr(activity, 1, instr(activity || '.', '.') - 1), sequence, activity, at, kind, result, status, actor_id);
DROP INDEX audit_entries_actor;
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, sequence, activity, at, kind, result, status);

-- +goose Down
DROP INDEX audit_entries_actor;
CREATE INDEX audit_entries_actor ON audit_entries (actor_id, sequence);
DROP INDEX audit_entries_component;
