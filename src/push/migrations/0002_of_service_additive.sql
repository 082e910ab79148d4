-- What is of one service: its list of messages, and all of it when the service goes.
CREATE INDEX push_sends_service ON push_sends (service, id);
CREATE INDEX push_deliveries_service ON push_deliveries (service, id);
