-- +goose Up
CREATE TABLE apple_enrollments (
    id          TEXT PRIMARY KEY, -- UDID, or EnrollmentID of a User Enrollment
    user        INTEGER NOT NULL,
    device_id   TEXT UNIQUE,      -- NULL until the device is managed
    platform    TEXT NOT NULL,
    stage       INTEGER NOT NULL,
    certificate TEXT NOT NULL,    -- SHA-256 of the pinned identity certificate
    topic       TEXT NOT NULL,
    push_magic  TEXT NOT NULL,
    token       BLOB,
    replaced    TEXT NOT NULL     -- fingerprints of push data that was replaced, as JSON
);

-- Device identities that the server issued.
CREATE TABLE apple_certificates (
    sha256     TEXT PRIMARY KEY,
    serial     TEXT NOT NULL UNIQUE,
    der        BLOB NOT NULL,
    key_sha256 TEXT NOT NULL,
    not_after  INTEGER NOT NULL,
    enrollment TEXT NOT NULL, -- the only one that may use it; empty: none has yet
    revoked    INTEGER        -- NULL: it is good
);

CREATE TABLE apple_challenges (
    sha256      TEXT PRIMARY KEY,
    expires     INTEGER NOT NULL,
    used_at     INTEGER, -- NULL: unused
    certificate TEXT REFERENCES apple_certificates (sha256)
);

CREATE TABLE key_pairs (
    name        TEXT PRIMARY KEY,
    certificate BLOB NOT NULL, -- PEM
    key         BLOB NOT NULL  -- PEM, PKCS #8
);

-- +goose Down
DROP TABLE key_pairs;
DROP TABLE apple_challenges;
DROP TABLE apple_certificates;
DROP TABLE apple_enrollments;
