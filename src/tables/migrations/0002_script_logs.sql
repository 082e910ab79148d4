-- What scripts print and how they fail, newest last; a bounded number of lines is kept.
CREATE TABLE script_logs (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  service TEXT NOT NULL,
  source TEXT NOT NULL,
  level TEXT NOT NULL,
  text TEXT NOT NULL
);
