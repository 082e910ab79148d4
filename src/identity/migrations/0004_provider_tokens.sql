CREATE TABLE provider_tokens (
  user_id TEXT NOT NULL,
  connection TEXT NOT NULL,
  sealed TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, connection)
);
