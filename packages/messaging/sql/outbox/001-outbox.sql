-- What has happened and is to be told to others: written by the statement that makes it true, so that neither can be without
-- the other (E1). The relay hands it on and keeps it for a while. A database has one outbox.
create table holdfast.outbox (
  tenant_id text not null,
  order_id text not null,
  -- What has happened to the order, and behind a colon by what, where that may be more than once. It is the rest of the
  -- event's identity.
  kind text not null check (kind ~ '^[a-z-]{1,60}(:[A-Za-z0-9_:-]{1,200})?$'),
  at timestamptz not null default clock_timestamp(),
  relayed_at timestamptz,
  primary key (tenant_id, order_id, kind)
);
create index outbox_open on holdfast.outbox (at) where relayed_at is null;
create index outbox_kept on holdfast.outbox (relayed_at) where relayed_at is not null;

-- Which process relays (a lease, on the database's clock), and how many batches have been handed on. The first relay makes its row.
create table holdfast.relays (
  name text primary key,
  holder text,
  held_until timestamptz,
  batches bigint not null default 0
);
