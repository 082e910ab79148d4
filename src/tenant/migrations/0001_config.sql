CREATE TABLE config (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  revision BIGINT NOT NULL,
  PRIMARY KEY (kind, name)
);
