CREATE TABLE users (
  user_id TEXT NOT NULL PRIMARY KEY,
  connection TEXT NOT NULL,
  email TEXT NOT NULL,
  email_verified BOOLEAN NOT NULL,
  username TEXT NOT NULL,
  name TEXT NOT NULL,
  nickname TEXT NOT NULL,
  picture TEXT NOT NULL,
  given_name TEXT NOT NULL,
  family_name TEXT NOT NULL,
  locale TEXT NOT NULL,
  blocked BOOLEAN NOT NULL,
  password_hash TEXT NOT NULL,
  user_metadata TEXT NOT NULL,
  app_metadata TEXT NOT NULL,
  extra TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_login BIGINT NOT NULL,
  logins_count BIGINT NOT NULL,
  epoch BIGINT NOT NULL
);

CREATE TABLE identities (
  connection TEXT NOT NULL,
  upstream_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  upstream_value TEXT NOT NULL,
  is_social BOOLEAN NOT NULL,
  added_at BIGINT NOT NULL,
  PRIMARY KEY (connection, upstream_id)
);
CREATE INDEX identities_user ON identities (user_id, added_at);

CREATE TABLE logins (
  connection TEXT NOT NULL,
  login TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (connection, login)
);
CREATE INDEX logins_user ON logins (user_id);

CREATE TABLE former_users (
  user_id TEXT NOT NULL PRIMARY KEY,
  generation BIGINT NOT NULL
);
