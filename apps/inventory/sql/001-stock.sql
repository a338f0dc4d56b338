-- What is in the warehouse and how much of it orders hold. The checks are the last line of defence: whatever a
-- statement gets wrong, the database refuses to oversell.
create table stock (
  tenant_id text not null,
  sku text not null,
  on_hand bigint not null check (on_hand >= 0),
  reserved bigint not null default 0 check (reserved >= 0),
  unit_price bigint not null check (unit_price >= 0),
  currency text not null,
  -- Rises with every change, in the statement that makes it.
  version bigint not null default 0,
  primary key (tenant_id, sku),
  constraint stock_not_oversold check (reserved <= on_hand)
) with (fillfactor = 70);

-- Every change of on_hand, with its reason; the auditor adds them up (A1). `entry_key` is the call's key for an
-- adjustment or a set, so that neither counts twice even when its claim has expired (K5).
create table stock_entries (
  tenant_id text not null,
  sku text not null,
  entry_key text not null,
  kind text not null check (kind in ('set', 'adjust', 'fulfil', 'restock')),
  delta bigint not null,
  recorded_at timestamptz not null default clock_timestamp(),
  -- Of a set: the members that it set, as they were and as they became, and the version before and after.
  before jsonb,
  after jsonb,
  -- Of a set or an adjustment: the caller's proof that it has decided this change. The auditor makes it again.
  proof text,
  primary key (tenant_id, sku, entry_key),
  constraint stock_entries_set_says_what check ((kind = 'set') = (before is not null) and (kind = 'set') = (after is not null))
);

-- At most one per order, ever (K5): the primary key outlives the claim.
create table reservations (
  tenant_id text not null,
  order_id text not null,
  reservation_id text not null,
  state text not null check (state in ('held', 'released', 'fulfilled')),
  currency text not null,
  total bigint not null check (total >= 0),
  -- [{"sku", "quantity", "unitPrice"}] as reserved.
  lines jsonb not null,
  -- [{"sku", "quantity"}] returned before they had left: no longer held, and never to be fulfilled.
  returned jsonb not null default '[]',
  reserved_at timestamptz not null default clock_timestamp(),
  released_at timestamptz,
  primary key (tenant_id, order_id)
);

-- What customers bring back, one row a refund: decided (reserved) before money moves, counted (restocked) after it.
create table restocks (
  tenant_id text not null,
  order_id text not null,
  refund_id text not null,
  state text not null check (state in ('reserved', 'restocked', 'released')),
  -- Whether the goods had left by then: those are counted on hand again, the others are no longer held.
  had_left boolean,
  -- [{"sku", "quantity"}]
  lines jsonb not null,
  reserved_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  primary key (tenant_id, order_id, refund_id),
  constraint restocks_counted check ((state = 'restocked') = (had_left is not null))
);

-- What the role that a service runs as may do where another one migrates (runner-rights.ts).
comment on table stock_entries is 'insert-only';
