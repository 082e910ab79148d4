-- The version that a row had where it was imported from, and the stamp it has here as long as nobody changes it: an offline
-- client of that server still names the row so.
CREATE TABLE imported_versions (
  name TEXT NOT NULL,
  id TEXT NOT NULL,
  version TEXT NOT NULL,
  stamp BIGINT NOT NULL,
  PRIMARY KEY (name, id)
);
