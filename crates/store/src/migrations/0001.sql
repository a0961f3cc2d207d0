-- Format 1. Times are milliseconds since 1970; hashes are BLAKE3.
CREATE TABLE about (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE checkpoint (
  partition INTEGER PRIMARY KEY, next INTEGER NOT NULL, version INTEGER NOT NULL, meta BLOB NOT NULL
);
CREATE TABLE checkpoint_row (
  partition INTEGER NOT NULL, key INTEGER NOT NULL, row BLOB NOT NULL, PRIMARY KEY (partition, key)
) WITHOUT ROWID;
CREATE TABLE checkpoint_chunk (
  id INTEGER PRIMARY KEY, partition INTEGER NOT NULL, expires_at INTEGER NOT NULL, keys BLOB NOT NULL
);
CREATE INDEX checkpoint_chunk_by_partition ON checkpoint_chunk (partition, expires_at);
CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, key_hash BLOB UNIQUE);
CREATE TABLE api_key (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, key_hash BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL
);
CREATE TABLE session (
  secret_hash BLOB PRIMARY KEY, name TEXT NOT NULL, since INTEGER NOT NULL, ends_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE link (
  token_hash BLOB PRIMARY KEY, name TEXT NOT NULL, ends_at INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE model (
  score TEXT NOT NULL, version INTEGER NOT NULL, created_at INTEGER NOT NULL, artifact BLOB NOT NULL,
  metrics TEXT NOT NULL, rows INTEGER NOT NULL, range_from INTEGER, range_to INTEGER,
  PRIMARY KEY (score, version)
) WITHOUT ROWID;
INSERT INTO source (id, name) VALUES (0, 'crm');
