-- The order book: who placed what, under which key, and what was answered. The id is derived from tenant and key, so
-- that the primary key is the check for duplicates. How far an order has got is its saga's to say (table sagas, same id).
create table orders (
  id text primary key,
  tenant_id text not null,
  customer_id text not null,
  -- Which request the key stands for: its print, and short digests by member, to name what differs.
  fingerprint bytea not null,
  fingerprint_version smallint not null,
  members jsonb not null,
  -- The body of the first answer, replayed byte for byte. Null while the first caller is still waiting for it.
  answer text,
  created_at timestamptz not null
);

-- Serves the list of a tenant's orders, newest first. Written once per order; no update of an order touches it.
create index orders_by_tenant on orders (tenant_id, created_at desc, id desc);
