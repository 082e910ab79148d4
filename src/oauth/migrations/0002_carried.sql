-- A token's row carries what never changes of its family, so that a refresh reads one row; null where an older version wrote it.
ALTER TABLE oauth_refresh_tokens ADD COLUMN carried TEXT;
