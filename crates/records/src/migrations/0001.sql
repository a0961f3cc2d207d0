-- Format 1. Times are milliseconds since 1970; ids are those of id.rs; hashes are BLAKE3. Words in braces stand for
-- what the two databases call it: migrate.rs.
CREATE TABLE object_definition (name TEXT PRIMARY KEY, definition TEXT NOT NULL, changed_at {whole} NOT NULL);
-- By what a folder of contents knows that it belongs to this database; one row, copied with all others.
CREATE TABLE installation (id TEXT PRIMARY KEY);
-- The feed: every change of a record, in the order of their commits. Audit, undo, search and the event log go by it.
CREATE TABLE change (
  seq {growing}, at {whole} NOT NULL, actor TEXT NOT NULL, origin TEXT, batch {whole}, object TEXT NOT NULL,
  record {whole} NOT NULL, version {whole} NOT NULL, op TEXT NOT NULL, before TEXT, after TEXT{transaction}
);
CREATE INDEX change_by_record ON change (record, seq);
CREATE INDEX change_by_batch ON change (batch, seq) WHERE batch IS NOT NULL;
-- How far the readers of the feed have come.
CREATE TABLE feed_position (reader TEXT PRIMARY KEY, seq {whole} NOT NULL);
-- Changes made by one request, which can be undone together. `undone_to` is how far down the feed that has come, until it ends.
CREATE TABLE batch (
  id {whole} PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, actor TEXT NOT NULL, at {whole} NOT NULL,
  changes {whole} NOT NULL, undone_by {whole}, undone_to {whole}, about TEXT
);
-- Customers who are one because the contact `loser` was merged into another. `goes` is its customer id, `stays` the other's. What is
-- not told is news for the log of events.
CREATE TABLE tie (
  loser {whole} NOT NULL, stays TEXT NOT NULL, goes TEXT NOT NULL, at {whole} NOT NULL, is_joined {truth} NOT NULL, is_told {truth} NOT NULL,
  PRIMARY KEY (loser, stays)
);
CREATE INDEX tie_by_stays ON tie (stays);
CREATE INDEX tie_by_goes ON tie (goes);
CREATE INDEX tie_untold ON tie (at) WHERE NOT is_told;
-- Relations of fields that hold many.
CREATE TABLE relation (
  object TEXT NOT NULL, field TEXT NOT NULL, record {whole} NOT NULL, target {whole} NOT NULL,
  PRIMARY KEY (object, field, record, target)
);
CREATE INDEX relation_by_target ON relation (target, object, field);
-- Answers to requests that carried an Idempotency-Key.
CREATE TABLE idempotency (
  caller TEXT NOT NULL, key TEXT NOT NULL, request {bytes} NOT NULL, answer TEXT NOT NULL, at {whole} NOT NULL,
  PRIMARY KEY (caller, key)
);
-- Grows with each change of roles, teams, people, sessions and keys: by it a process knows that what it holds in memory is old,
-- and its one row is the lock that such changes take turns by.
CREATE TABLE people_version (version {whole} NOT NULL);
INSERT INTO people_version VALUES (0);
CREATE TABLE role (id {whole} PRIMARY KEY, name TEXT NOT NULL UNIQUE, definition TEXT NOT NULL);
CREATE TABLE team (id {whole} PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- `own_email` is true of an address that its owner has set, and that nobody has vouched for.
CREATE TABLE person (
  id {whole} PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role {whole} NOT NULL, language TEXT,
  password TEXT, totp {bytes}, totp_new {bytes}, totp_step {whole}, active {truth} NOT NULL, created_at {whole} NOT NULL,
  last_seen {whole}, own_email {truth}
);
-- Hashes of codes for who has lost the second factor; each works once.
CREATE TABLE recovery_code (person {whole} NOT NULL, code_hash {bytes} NOT NULL, PRIMARY KEY (person, code_hash));
-- By what providers of sign-on know people; an account has one of an issuer.
CREATE TABLE sign_on (
  id {whole} PRIMARY KEY, person {whole} NOT NULL, provider TEXT NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL,
  linked_at {whole} NOT NULL, used_at {whole} NOT NULL, UNIQUE (issuer, subject), UNIQUE (person, issuer)
);
-- Answers of providers that were used within the last hour: each works once.
CREATE TABLE sign_on_used (once {bytes} PRIMARY KEY, at {whole} NOT NULL);
CREATE TABLE membership (person {whole} NOT NULL, team {whole} NOT NULL, PRIMARY KEY (person, team));
CREATE TABLE session (
  secret_hash {bytes} PRIMARY KEY, id {whole} NOT NULL UNIQUE, person {whole} NOT NULL, since {whole} NOT NULL, ends_at {whole} NOT NULL,
  seen_at {whole} NOT NULL, address TEXT, agent TEXT
);
CREATE INDEX session_by_person ON session (person);
CREATE TABLE api_key (
  id {whole} PRIMARY KEY, key_hash {bytes} NOT NULL UNIQUE, name TEXT NOT NULL, person {whole}, role {whole} NOT NULL, read_only {truth} NOT NULL,
  created_at {whole} NOT NULL, ends_at {whole}, used_at {whole}
);
-- One-time links: the first administrator's, invitations, new passwords.
CREATE TABLE link (
  token_hash {bytes} PRIMARY KEY, id {whole} NOT NULL UNIQUE, kind TEXT NOT NULL, person {whole}, email TEXT, role {whole}, teams TEXT, made_by TEXT NOT NULL,
  made_at {whole} NOT NULL, ends_at {whole} NOT NULL, used_at {whole}
);
CREATE TABLE view (
  id {whole} PRIMARY KEY, object TEXT NOT NULL, name TEXT NOT NULL, owner {whole} NOT NULL, team {whole}, shared TEXT NOT NULL,
  definition TEXT NOT NULL, position {whole} NOT NULL
);
CREATE INDEX view_by_object ON view (object);
-- The view that somebody's page of an object begins with.
CREATE TABLE first_view (person {whole} NOT NULL, object TEXT NOT NULL, view {whole} NOT NULL, PRIMARY KEY (person, object));
-- Imports of files. `position` counts the rows of the file that are done; it is written in one transaction with what those rows
-- became, so that whatever is killed when, no row is lost or done twice.
CREATE TABLE import (
  id {whole} PRIMARY KEY, object TEXT NOT NULL, name TEXT NOT NULL, format TEXT NOT NULL, state TEXT NOT NULL, about TEXT NOT NULL,
  mapping TEXT NOT NULL, header TEXT NOT NULL, total {whole} NOT NULL, position {whole} NOT NULL, created {whole} NOT NULL,
  updated {whole} NOT NULL, unchanged {whole} NOT NULL, failed {whole} NOT NULL, error_bytes {whole} NOT NULL, actor TEXT NOT NULL,
  origin TEXT, batch {whole}, message TEXT, made_at {whole} NOT NULL, started_at {whole}, ended_at {whole}
);
CREATE INDEX import_by_header ON import (object, header);
-- What records are found to be alike by: see duplicates/keys.rs for what a hash is made of. Only records outside the trash have rows.
CREATE TABLE match_key (hash {whole} NOT NULL, record {whole} NOT NULL, PRIMARY KEY (hash, record)){clustered};
-- Records that seem to be one; `one` is the smaller id. State: open, dismissed, merged.
CREATE TABLE duplicate_pair (
  id {whole} PRIMARY KEY, object TEXT NOT NULL, one {whole} NOT NULL, other {whole} NOT NULL, score {whole} NOT NULL,
  reasons TEXT NOT NULL, state TEXT NOT NULL, UNIQUE (one, other)
);
CREATE INDEX duplicate_pair_by_other ON duplicate_pair (other);
CREATE INDEX duplicate_pair_by_score ON duplicate_pair (object, state, score, id);
