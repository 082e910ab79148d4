CREATE TABLE single_use (
  key TEXT NOT NULL PRIMARY KEY,
  bound_to TEXT NOT NULL,
  payload TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX single_use_expires_at ON single_use (expires_at);
