-- +goose Up
-- What a link allows, and for whom, as JSON; empty: it was made before links had terms.
ALTER TABLE apple_challenges ADD COLUMN terms TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX apple_challenges_certificate ON apple_challenges (certificate);

-- +goose Down
DROP INDEX apple_challenges_certificate;
ALTER TABLE apple_challenges DROP COLUMN terms;
