-- Which app tables changed their shape, and when: what the other nodes watch.
CREATE TABLE table_shapes (
  name TEXT NOT NULL PRIMARY KEY,
  changed_at BIGINT NOT NULL
);
-- The next id of integer-id tables.
CREATE TABLE table_sequences (
  name TEXT NOT NULL PRIMARY KEY,
  next_id BIGINT NOT NULL
);
