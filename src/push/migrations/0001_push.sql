-- How a device is reached; what it asked to be told. platform is empty while only the id was given out.
CREATE TABLE push_registrations (
  service TEXT NOT NULL,
  id TEXT NOT NULL,
  installation TEXT NOT NULL,
  platform TEXT NOT NULL,
  handle TEXT NOT NULL,
  user_id TEXT NOT NULL,
  tags TEXT NOT NULL,
  template_name TEXT NOT NULL,
  template_body TEXT NOT NULL,
  headers TEXT NOT NULL,
  expiry TEXT NOT NULL,
  variables TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (service, id)
);
CREATE INDEX push_registrations_handle ON push_registrations (service, handle);
CREATE INDEX push_registrations_installation ON push_registrations (service, installation);
CREATE INDEX push_registrations_expires ON push_registrations (expires_at);
-- The tags of registrations once more, to find those of a tag in the order of their ids.
CREATE TABLE push_tags (
  service TEXT NOT NULL,
  tag TEXT NOT NULL,
  registration TEXT NOT NULL,
  PRIMARY KEY (service, tag, registration)
);
CREATE INDEX push_tags_registration ON push_tags (service, registration);
-- What shall be sent, until all of it is done, and what came of it. progress: the last registration that was looked at.
CREATE TABLE push_sends (
  id TEXT NOT NULL PRIMARY KEY,
  service TEXT NOT NULL,
  kind TEXT NOT NULL,
  platform TEXT NOT NULL,
  expression TEXT NOT NULL,
  payload TEXT NOT NULL,
  headers TEXT NOT NULL,
  state TEXT NOT NULL,
  progress TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  targets BIGINT NOT NULL,
  delivered BIGINT NOT NULL,
  gone BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  last_error TEXT NOT NULL
);
CREATE INDEX push_sends_state ON push_sends (state, id);
-- One message to one device, until it is delivered or given up. An empty payload is that of its send.
CREATE TABLE push_deliveries (
  id TEXT NOT NULL PRIMARY KEY,
  send TEXT NOT NULL,
  service TEXT NOT NULL,
  platform TEXT NOT NULL,
  handle TEXT NOT NULL,
  payload TEXT NOT NULL,
  headers TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  due_at BIGINT NOT NULL
);
CREATE INDEX push_deliveries_due ON push_deliveries (due_at);
CREATE INDEX push_deliveries_send ON push_deliveries (send);
-- Devices that a platform said are gone; getFeedback of scripts reads them.
CREATE TABLE push_feedback (
  service TEXT NOT NULL,
  platform TEXT NOT NULL,
  handle TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (service, platform, handle)
);
CREATE INDEX push_feedback_at ON push_feedback (at);
