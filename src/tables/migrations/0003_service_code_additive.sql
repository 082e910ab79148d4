-- Files of services' code, each once for all versions that have it: deflated, in base64.
CREATE TABLE service_files (
  hash TEXT NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL,
  packed TEXT NOT NULL
);
-- Versions of services' code. Which of them runs is configuration.
CREATE TABLE service_deployments (
  service TEXT NOT NULL,
  version BIGINT NOT NULL,
  manifest TEXT NOT NULL,
  files BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (service, version)
);
