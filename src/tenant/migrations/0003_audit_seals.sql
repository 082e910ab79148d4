-- The chain moves out of the rows: one seal for each stretch of rows, so that an event is written once and never touched
-- again. Rows from before are chained anew by the next sealing.
ALTER TABLE audit RENAME TO audit_before;
DROP INDEX audit_user_id;
DROP INDEX audit_client_id;
DROP INDEX audit_type;
CREATE TABLE audit (
  at BIGINT NOT NULL PRIMARY KEY,
  time BIGINT NOT NULL,
  type TEXT NOT NULL,
  client_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  target TEXT NOT NULL,
  connection TEXT NOT NULL,
  reason TEXT NOT NULL,
  details TEXT NOT NULL,
  ip TEXT NOT NULL,
  request_id TEXT NOT NULL
);
INSERT INTO audit SELECT at, time, type, client_id, user_id, target, connection, reason, details, ip, request_id FROM audit_before;
DROP TABLE audit_before;
DROP TABLE audit_tip;
CREATE INDEX audit_user_id ON audit (user_id, at);
CREATE INDEX audit_client_id ON audit (client_id, at);
CREATE INDEX audit_type ON audit (type, at);
-- `after`: `last` of the seal before, 0 for the first; as the key it lets of two sealings at once only one stand.
CREATE TABLE audit_seals (
  after BIGINT NOT NULL PRIMARY KEY,
  last BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  hash TEXT NOT NULL,
  marks TEXT NOT NULL
);
