-- Tokens at rest: only hashes of what strangers hold.

-- Opaque access tokens; JWTs need no row.
CREATE TABLE oauth_access_tokens (
  hash TEXT NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  audience TEXT NOT NULL,
  sid TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  legacy BOOLEAN NOT NULL,
  user_epoch BIGINT NOT NULL,
  tenant_epoch BIGINT NOT NULL,
  issued_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_access_tokens_grant ON oauth_access_tokens (grant_id);
CREATE INDEX oauth_access_tokens_sid ON oauth_access_tokens (sid);
CREATE INDEX oauth_access_tokens_expires ON oauth_access_tokens (expires_at);

-- One login's line of refresh tokens. The family is the grant id of everything that login gave.
CREATE TABLE oauth_refresh_families (
  family TEXT NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  sid TEXT NOT NULL,
  connection TEXT NOT NULL,
  audience TEXT NOT NULL,
  device TEXT NOT NULL,
  scope TEXT NOT NULL,
  offline_consent BOOLEAN NOT NULL,
  user_epoch BIGINT NOT NULL,
  tenant_epoch BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX oauth_refresh_families_user ON oauth_refresh_families (user_id, client_id, device);
CREATE INDEX oauth_refresh_families_sid ON oauth_refresh_families (sid);

-- The tokens of a family: one with rotated_at 0 is live; a rotated one remembers its successor, sealed under itself.
CREATE TABLE oauth_refresh_tokens (
  hash TEXT NOT NULL PRIMARY KEY,
  family TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  rotated_at BIGINT NOT NULL,
  successor TEXT NOT NULL,
  request TEXT NOT NULL
);
CREATE INDEX oauth_refresh_tokens_family ON oauth_refresh_tokens (family);

-- What is void before its time: "jti:…", "grant:…", "sid:…". Rows go when the last token they could stop has ended.
CREATE TABLE oauth_revocations (
  id TEXT NOT NULL PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

-- What a person allowed somebody else's client.
CREATE TABLE oauth_consents (
  user_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  audience TEXT NOT NULL,
  scope TEXT NOT NULL,
  granted_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, client_id, audience)
);
