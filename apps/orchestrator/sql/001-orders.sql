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

-- A page takes a fifth of the claims that it could hold and keeps the rest for their answers, which are stored when the orders
-- end and are longer than all else in the row: most find room beside it and write to no index. So does the end of their retention.
alter table holdfast.claims set (fillfactor = 20);
