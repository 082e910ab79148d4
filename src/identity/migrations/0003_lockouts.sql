CREATE TABLE lockouts (
  subject TEXT NOT NULL PRIMARY KEY,
  failures BIGINT NOT NULL,
  rounds BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  locked_until BIGINT NOT NULL
);
CREATE INDEX lockouts_last ON lockouts (last_at);
