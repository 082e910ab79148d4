-- Which node does what only one at a time should do. An empty holder gave it back; fence grows with every holder,
-- beat with every renewal.
CREATE TABLE leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  fence BIGINT NOT NULL,
  beat BIGINT NOT NULL,
  length BIGINT NOT NULL
);
