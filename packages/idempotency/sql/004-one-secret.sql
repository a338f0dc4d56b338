-- One secret to a database. Its version says by which rules ids are made with it (fingerprint-secret.ts); two of them
-- would be two ids of one key, and so two orders. A release that knows version 1 only, and finds another one here, runs
-- into this constraint when it would add a secret of its own, and does not start.
alter table fingerprint_secrets
  add column sole boolean not null default true check (sole),
  add constraint one_secret_per_database unique (sole);
