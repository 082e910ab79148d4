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
  request_id TEXT NOT NULL,
  hash TEXT
);
CREATE INDEX audit_user_id ON audit (user_id, at);
CREATE INDEX audit_client_id ON audit (client_id, at);
CREATE INDEX audit_type ON audit (type, at);
CREATE TABLE audit_tip (
  chain BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  rows BIGINT NOT NULL,
  hash TEXT NOT NULL
);
