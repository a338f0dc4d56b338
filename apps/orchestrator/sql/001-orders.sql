-- The orders, and who placed each. The id is derived from tenant and key, and is the key of the order's claim (table claims,
-- of @holdfast/idempotency): the claim's primary key is the check for duplicates. It is the id of the order's saga as well
-- (table sagas), which says how far the order has got.
create table orders (
  id text primary key,
  tenant_id text not null,
  customer_id text not null,
  created_at timestamptz not null
);

-- Serves the list of a tenant's orders, newest first. Written once per order; no update of an order touches it.
create index orders_by_tenant on orders (tenant_id, created_at desc, id desc);

-- What was given back of completed orders, or is to be. The id of one that the API made is derived from its key like an
-- order's, is its claim's key, and is the id of its saga, which says how far it has got. One that was made at the provider
-- has the provider's id, and no saga.
create table order_refunds (
  id text not null,
  order_id text not null,
  tenant_id text not null,
  origin text not null check (origin in ('api', 'provider')),
  -- Minor units.
  amount bigint not null check (amount >= 0),
  currency text not null,
  -- [{"sku", "quantity", "restock"}]; none where an amount was given.
  lines jsonb not null default '[]',
  -- The caller's words.
  reason text,
  created_at timestamptz not null,
  -- What payment told last, by the number of its change; null before it has told anything.
  told_status text check (told_status in ('pending', 'succeeded', 'failed')),
  told_reason text,
  told_revision integer not null default 0,
  told_at timestamptz,
  primary key (order_id, id),
  constraint order_refunds_of_the_provider_are_told check (origin = 'api' or told_status is not null)
);
create index order_refunds_by_order on order_refunds (order_id, created_at desc, id desc);
create index order_refunds_by_tenant on order_refunds (tenant_id, created_at desc, id desc);

-- What was decided about the payment of orders that are captured when they are dispatched: each decision is a saga. The next
-- one of an order (by number) may be made once the one before has ended and nothing was captured. Of two that are made at the same
-- time, the primary key lets one be.
create table order_settlements (
  order_id text not null,
  number integer not null check (number >= 1),
  tenant_id text not null,
  kind text not null check (kind in ('capture', 'release')),
  saga_id text not null,
  -- Minor units to be captured; 0 of a release.
  amount bigint not null check (amount >= 0),
  created_at timestamptz not null,
  primary key (order_id, number)
);
create index order_settlements_by_tenant on order_settlements (tenant_id, created_at desc, saga_id desc);

-- What payment has told of authorisations that run out.
create table order_authorizations (
  order_id text primary key,
  tenant_id text not null,
  state text not null check (state in ('expiring', 'expired')),
  revision integer not null,
  told_at timestamptz not null default clock_timestamp()
);

-- Payments that customers take back through their banks, as payment has told of them.
create table order_disputes (
  order_id text not null,
  id text not null,
  tenant_id text not null,
  -- Minor units.
  amount bigint not null,
  currency text not null,
  -- The provider's words, as is `status`.
  reason text not null,
  status text not null,
  opened_at timestamptz not null,
  revision integer not null,
  told_at timestamptz not null default clock_timestamp(),
  primary key (order_id, id)
);

-- A page takes a fifth of the claims that it could hold and keeps the rest for their answers, which are stored when the orders
-- end and are longer than all else in the row: most find room beside it and write to no index. So does the end of their retention.
alter table holdfast.claims set (fillfactor = 20);

-- The API keys that were made at run time. A key's id is in the key itself and is looked up without its tenant, so it is the
-- whole primary key: a small table, of which a sharded database keeps a copy everywhere. A revoked key stays, for whoever asks.
create table api_keys (
  id text primary key,
  tenant_id text not null,
  -- For people.
  name text not null,
  scopes text[] not null,
  -- SHA-256 of the whole key: it is random and long, so a slow hash would add nothing.
  digest bytea not null,
  not_before timestamptz not null,
  expires_at timestamptz,
  created_at timestamptz not null,
  revoked_at timestamptz,
  -- To the hour.
  last_used_at timestamptz,
  constraint api_keys_end_after_they_begin check (expires_at > not_before)
);
create index api_keys_by_tenant on api_keys (tenant_id, created_at desc, id desc);

-- Who asked for which change, written before the change is made: with the key's claim, or by itself where no key was sent.
-- Rows are inserted and never changed.
-- An entry has the id of its key's claim, and a claim that is made anew after the key's retention another instant. Sharded, both
-- tables are distributed by id, as the claims are.
create table audit_entries (
  tenant_id text not null,
  -- By the clock of the process that took the request.
  at timestamptz not null,
  id text not null,
  -- Which API key, by what may be shown of it.
  actor text not null,
  -- The operationId of the route.
  verb text not null,
  -- Path of what is changed.
  target text not null,
  -- What is to be set, added or given back.
  asked jsonb not null,
  -- The caller's words.
  reason text,
  request_id text not null,
  trace_id text not null,
  primary key (tenant_id, at, id)
);
create index audit_entries_by_target on audit_entries (tenant_id, target, at desc, id desc);
create index audit_entries_by_actor on audit_entries (tenant_id, actor, at desc, id desc);

-- What came of it, written with the key's answer. An entry without one is open: a retry under its key decides it, and of a
-- change without a key nobody knows.
create table audit_outcomes (
  tenant_id text not null,
  at timestamptz not null,
  id text not null,
  outcome text not null check (outcome in ('done', 'refused')),
  -- Of a refusal: the problem's code.
  code text,
  before jsonb,
  after jsonb,
  decided_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, at, id),
  constraint audit_outcomes_refused_says_why check ((outcome = 'refused') = (code is not null))
);

-- What the role that a service runs as may do where another one migrates (runner-rights.ts).
comment on table audit_entries is 'insert-only';
comment on table audit_outcomes is 'insert-only';
