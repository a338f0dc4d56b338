-- Bodies of answers, by the day until which they are kept: a day that is past is dropped whole. A claim's own row stays
-- narrow, and stays longer: it says that the key was used. Refusals are final and small; they stay with their claim.
create table answers (
  tenant_id text not null,
  scope text not null,
  name text not null,
  -- The last day (UTC) on which this answer is given.
  kept_until date not null,
  answer bytea not null,
  primary key (tenant_id, scope, name, kept_until)
) partition by range (kept_until);

-- For days whose partition has not been made yet; empty as long as the housekeeping runs.
create table answers_rest partition of answers default;

alter table claims add column kept_until date;

-- Answers of before keep their place in their claim until the claim itself goes.
