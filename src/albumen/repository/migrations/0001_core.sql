-- Times are microseconds since 1970 UTC. Ids are UUIDv7 text: sorting by id is sorting by time.

CREATE TABLE dataset (
    id         BIGINT PRIMARY KEY,
    slug       TEXT   NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- Immutable bytes, named by SHA-256, and what was derived from them.
CREATE TABLE blob (
    sha256      TEXT    PRIMARY KEY,
    bytes       BIGINT  NOT NULL,
    media_type  TEXT    NOT NULL,
    extension   TEXT    NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    frames      INTEGER NOT NULL,
    taken_at    BIGINT,
    camera      TEXT,
    lens        TEXT,
    latitude    DOUBLE PRECISION,
    longitude   DOUBLE PRECISION,
    placeholder TEXT
);

CREATE TABLE photo (
    id          TEXT   PRIMARY KEY,
    link        TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    name_folded TEXT   NOT NULL,
    dataset_id  BIGINT NOT NULL REFERENCES dataset (id),
    sha256      TEXT   NOT NULL REFERENCES blob (sha256),
    uploaded_at BIGINT NOT NULL,
    deleted_at  BIGINT
);

-- A photo is in a dataset once; the trash may hold it as well.
CREATE UNIQUE INDEX photo_once ON photo (dataset_id, sha256) WHERE deleted_at IS NULL;
CREATE INDEX photo_newest ON photo (id DESC) WHERE deleted_at IS NULL;
CREATE INDEX photo_newest_of_dataset ON photo (dataset_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX photo_by_name ON photo (name, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX photo_by_blob ON photo (sha256);
CREATE INDEX photo_trash ON photo (id DESC) WHERE deleted_at IS NOT NULL;

-- Running totals of the photos that are not in the trash, so that no page ever counts rows.
CREATE TABLE tally (
    dataset_id BIGINT NOT NULL REFERENCES dataset (id),
    day        TEXT   NOT NULL,
    photos     BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    PRIMARY KEY (dataset_id, day)
);

-- Background work per blob: state is pending, done or failed; a lease that ran out is taken again.
CREATE TABLE derivation (
    sha256       TEXT    PRIMARY KEY REFERENCES blob (sha256),
    state        TEXT    NOT NULL,
    attempts     INTEGER NOT NULL,
    leased_until BIGINT  NOT NULL,
    reason       TEXT
);
CREATE INDEX derivation_pending ON derivation (leased_until) WHERE state = 'pending';

-- API keys; digest is the SHA-256 of the secret, which itself has 256 random bits.
CREATE TABLE api_key (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
