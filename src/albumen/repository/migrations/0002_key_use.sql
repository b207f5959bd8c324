-- The last day, in UTC, on which a key was used, as 2026-11-23; null for one that was not used since this column is there.
ALTER TABLE api_key ADD COLUMN used_on TEXT;
