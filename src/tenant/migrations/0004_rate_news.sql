-- What the nodes let through under rate limits, told to each other; a row a node and moment, gone after two minutes.
-- `at` is a Stamp: a reader that saw one has seen all before it.
CREATE TABLE rate_news (
  at BIGINT NOT NULL PRIMARY KEY,
  node TEXT NOT NULL,
  taken TEXT NOT NULL
);
