-- One row per key: what was asked under it, how far it got, and what was answered.
-- A key is stored in two parts: `scope`, up to its first colon, and `name`, the rest. A step's key begins with its
-- order's id, so that everything of one order shares one distribution column; any other key has its own scope.
create table claims (
  tenant_id text not null,
  scope text not null,
  name text not null,
  operation text not null,
  -- Where what is done under the key can be read, such as a path. Null where its operation says so, or nothing has a place.
  resource text,
  state text not null check (state in ('in_flight', 'executed', 'refused', 'sealed')),
  -- Null when an undo sealed the step before any act came: there was no request to take the print of.
  fingerprint bytea,
  fingerprint_version smallint,
  -- Short digests of the request's members, to name the ones that differ when a key is reused. Null where not wanted.
  members jsonb,
  -- Counts the attempts at an effect outside this database; the fence of what an attempt may write.
  attempt int not null default 1,
  -- While in flight outside: nobody else may try before this instant, on this database's clock.
  lease_until timestamptz,
  answer bytea,
  claimed_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  primary key (tenant_id, scope, name)
);

-- The highest epoch seen for an order (K4). Its row is also what act and undo of one order wait for each other on.
create table fences (
  tenant_id text not null,
  order_id text not null,
  epoch bigint not null,
  primary key (tenant_id, order_id)
);

-- The keys of the fingerprints. They live beside what they protect: a lost environment variable must not turn
-- every retry into another request.
create table fingerprint_secrets (
  version smallint primary key,
  secret bytea not null
);
