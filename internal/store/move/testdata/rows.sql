-- Something in every table: NULL and not, empty texts and bytes, no ASCII, more rows than are moved at a time, numbers
-- that were given and are gone.
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4500) SELECT i FROM n;

INSERT INTO devices (id, name, platform, manufacturer, model, os_version, serial_number, udid, supervised, user_enrolled, enrolled,
    enrolled_at, last_sync, scope_tags, synced)
SELECT printf('device-%05d', i), CASE i % 3 WHEN 0 THEN 'Größe-电话 ' || i WHEN 1 THEN '' ELSE 'b' || i END, 'iOS', 'Apple', 'x', '26.0',
    'S' || i, 'udid' || i, i % 2, i % 5 = 0, i % 7 <> 0, nullif(i % 3, 0), nullif(i % 4, 0) * 1000, ',0,', i % 50 FROM n;
INSERT INTO ledgers SELECT id, synced, nullif(synced % 3, 0), synced % 2, '{"Device":"' || name || '"}' FROM devices;
INSERT INTO actions (id, device_id, number, name, state, doc, started, actor)
SELECT printf('%08x', i * 40503 % 65536 * 65536 + i), printf('device-%05d', 1 + i % 700), i, 'syncPayloads', 1 + i % 6, '{}', i, 'wer' FROM n;
INSERT INTO mirrored_payloads VALUES ('device-00001', 'theirs', 1, 'theirs', 'Büro-WLAN', 'wiFi', 1), ('device-00001', 'app', 0, 'app', '', '', NULL);
INSERT INTO removals SELECT printf('device-%05d', i), 'payload', 1, 'WLAN', '', i, 'me', nullif(i % 2, 0) FROM n WHERE i <= 20;
INSERT INTO events (device_id, at, doc, code) SELECT printf('device-%05d', 1 + i % 700), i, '{"Type":1}', nullif(i % 2, 0) FROM n;
DELETE FROM events WHERE position > 4490 OR position < 10;
INSERT INTO idempotency_keys VALUES ('device-00001', 'me', 'kilo', x'00ff', 1), ('device-00001', 'Me', 'kilo', x'', 2);
INSERT INTO catalog_payloads (id, type, class, family, platforms, odata_type, display_name, description, sub_type, identifier, revision,
    version, content, original, file_name, properties, created, last_modified)
SELECT 'payload-' || i, 1, 1, 'iOS', ',iOS,', '#x', 'WLAN', '', '', 'com.example.' || i, 'r', 1, randomblob(100000), CASE i % 2 WHEN 0 THEN x'' END,
    'a.mobileconfig', '{"a":"ü"}', 1, 2 FROM n WHERE i <= 20;
INSERT INTO catalog_revisions VALUES ('payload-1', 'a'), ('payload-1', 'B'), ('payload-2', 'ä');
INSERT INTO catalog_groups VALUES ('group', 'Büro', '', 1, 'buero');
INSERT INTO catalog_members SELECT 'group', id FROM devices;
INSERT INTO catalog_assignments VALUES ('x', 'payload-1', 'allDevices', '', 0), ('y', 'payload-1', 'group', 'group', 1);
INSERT INTO catalog_changes (kind, target) VALUES ('group', 'gone');
DELETE FROM catalog_changes;
INSERT INTO catalog_changes (kind, target, cursor) VALUES ('group', 'group', 'device-00100'), ('allDevices', '', '');
INSERT INTO apple_enrollments VALUES ('udid1', 0, 'device-00001', 'iOS', 2, 'c', 't', 'm', x'01', '[]'), ('udid2', 1, NULL, '', 0, '', '', '', NULL, '[]');
INSERT INTO apple_certificates VALUES ('a', '1', x'30', 'k', 1, 'udid1', NULL), ('b', '2', x'30', 'k', 1, '', 9);
INSERT INTO apple_challenges VALUES ('a', 1, NULL, NULL, ''), ('b', 1, 2, 'a', '{"area":{"Groups":null,"Tags":null}}');
INSERT INTO key_pairs VALUES ('ca', x'2d2d', x'2d2d2d');
INSERT INTO acme_cache VALUES ('mdm.example.com', x'00');
INSERT INTO tokens VALUES ('t', 'admin', x'aa', 1, NULL, 3), ('u', 'desk', x'', 1, 2, NULL);
INSERT INTO role_definitions VALUES ('r', 'Lesen', '', '["a"]');
INSERT INTO role_assignments VALUES ('a', 'admin', '', 'r', NULL, NULL, 't'), ('b', 'desk', '', 'r', ',group,', ',0,', NULL);
INSERT INTO role_members VALUES ('token:t', 'a', 0), ('Ärzte', 'b', 0), ('app:x', 'b', 1);
INSERT INTO scope_tags (name, description) VALUES ('gone', ''), ('Zürich', ''), ('last', '');
DELETE FROM scope_tags WHERE name IN ('gone', 'last');
UPDATE scope_tags SET description = 'changed' WHERE number = 0;
INSERT INTO sessions VALUES (x'ff00', 't', '{}', 1, 2), (x'00', NULL, '{}', 1, 2);
INSERT INTO sign_in_links VALUES (x'01', 't', '{}', 1);
INSERT INTO subscriptions (id, owner, identity, device_id, doc, secret, created_at, expires_at, position, look_at, not_before, paused)
VALUES ('s', 'me', '{}', '', '{}', 'shh', 1, 2, 4490, 4, 5, 1);
INSERT INTO subscription_notices (subscription_id, event, url, secret, body, created_at, not_before) VALUES ('s', 'missed', 'https://x', '', '{}', 1, 2);
INSERT INTO audit_entries SELECT i, 'entry' || i, i, 'me', 'Mé', '', 'a' || char(31) || 'b', 'groups.create', 'Create', '[]', 'Success', 201,
    '', '', 0, CASE i WHEN 1 THEN x'' ELSE x'01' END, x'01' FROM n;
UPDATE audit_head SET sequence = 4500, hash = x'01';

INSERT INTO android_setup (one, doc) VALUES (1, '{"project":"p","enterprise":"enterprises/电话"}');
INSERT INTO android_tokens (id, name, mode, one_time, created, expires, revoked, terms) VALUES
  ('t1', 'enterprises/e/enrollmentTokens/1', 'dedicated', 1, 1, 2, 0, '{"area":{}}'),
  ('t2', 'enterprises/e/enrollmentTokens/2', 'fullyManaged', 0, 1, 2, 1, '{"area":{}}');
INSERT INTO android_enrollments (name, device_id, udid, standing, state) VALUES
  ('enterprises/e/devices/1', 'd1', 'android-serial-1', 'current', '{"reported":9007199254740993}'),
  ('enterprises/e/devices/2', NULL, 'android-serial-2', 'refused', '{}');
INSERT INTO android_postings (enrollment, mark, hash, version, manifest) VALUES
  ('enterprises/e/devices/1', 9007199254740993, 'h', 3, '{"entries":{},"fields":{}}');
INSERT INTO android_web_apps (payload_id, package, doc) VALUES
  ('p1', 'com.google.enterprise.webapp.x', '{"title":"电话"}'), ('gone', '', '{}');
INSERT INTO android_old_policies (device_id, due, tries) VALUES ('left', 9007199254740993, 3);
INSERT INTO leases (name, holder, until) VALUES ('android/list', 'a node', 1);
INSERT INTO intune_tenants (id, name, settings, state) VALUES ('t1', '电话', '{"cloud":"global"}', '{"listed":1}');
INSERT INTO intune_paces (tenant, bucket, pace) VALUES ('t1', 'reads', '{"turns":1.5}');
INSERT INTO intune_devices (device_id, tenant, digest, read_at, doc) VALUES ('device-00001', 't1', 'ab', 9007199254740993, '{}');
