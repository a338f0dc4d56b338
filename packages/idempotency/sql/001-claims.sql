-- One row per key: what was asked under it, how far it got, and what was answered.
-- A key is stored in two parts: `scope`, up to its first colon, and `name`, the rest. A step's key begins with its
-- order's id, so that everything of one order shares one distribution column; any other key has its own scope.
create table holdfast.claims (
  tenant_id text not null,
  scope text not null,
  name text not null,
  operation text not null,
  -- Where the result can be read, such as a path. Null where the operation implies it, or there is none.
  resource text,
  state text not null check (state in ('in_progress', 'completed', 'refused', 'sealed')),
  -- Null when an undo sealed the step before any act came: there was no request to take the print of.
  fingerprint bytea,
  fingerprint_version smallint,
  -- Short digests of the request's members, to name the ones that differ when a key is reused. Null where not wanted.
  members jsonb,
  -- Counts the attempts at an effect outside this database; the fence of what an attempt may write.
  attempt int not null default 1,
  -- While in progress outside: no other attempt may start before this instant, on this database's clock.
  lease_until timestamptz,
  -- A refusal, and what is short. Longer answers are in `answers`.
  answer bytea,
  -- The last day (UTC) on which the answer is given; null for a refusal, which is given as long as its claim stays.
  kept_until date,
  claimed_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  -- @guard H17 the tenant in the unique key: "primary key (tenant_id, scope, name)" -> "primary key (scope, name)"
  primary key (tenant_id, scope, name)
);

-- The highest epoch seen for an order (K4). Its row is also what act and undo of one order wait for each other on.
create table holdfast.fences (
  tenant_id text not null,
  order_id text not null,
  epoch bigint not null,
  primary key (tenant_id, order_id)
);

-- Long bodies of answers, by the day until which they are kept: a day that is past is dropped whole. A claim's own row
-- stays narrow, and stays longer: it says that the key was used.
create table holdfast.answers (
  tenant_id text not null,
  scope text not null,
  name text not null,
  kept_until date not null,
  answer bytea not null,
  primary key (tenant_id, scope, name, kept_until)
) partition by range (kept_until);

-- For days whose partition has not been made yet; empty as long as the housekeeping runs.
create table holdfast.answers_rest partition of holdfast.answers default;

-- The key of the fingerprints and of the ids that are made of keys: one to a database, for ever. Another one would turn
-- every retry into a second order. It lives beside what it protects, since a lost environment variable must not do so.
create table holdfast.fingerprint_secrets (
  -- @guard K2 the one secret of a database: "sole boolean primary key default true check (sole)" -> "sole boolean default true"
  sole boolean primary key default true check (sole),
  secret bytea not null
);

-- What the role that a service runs as may do where another one migrates (runner-rights.ts).
comment on table holdfast.fingerprint_secrets is 'insert-only';
comment on table holdfast.answers is 'partitioned at run time';
