-- What every Idempotency-Key of a client stands for, whatever its operation: one row, one primary key, so that a key
-- used for an order can't be used for anything else. The id is derived from tenant and key; an order's key has its id.
create table keys (
  id text primary key,
  tenant_id text not null,
  -- Method and route template of the one request that this key stands for.
  operation text not null,
  -- Path of what the operation changes. Null: the order of this id.
  resource text,
  -- Which request the key stands for: its print, and short digests by member, to name what differs.
  fingerprint bytea not null,
  fingerprint_version smallint not null,
  members jsonb,
  -- What was answered: status, and body, replayed byte for byte. No status: the answer is open. A status without a
  -- body: the body is past its retention.
  status smallint,
  answer text,
  created_at timestamptz not null
);

insert into keys (id, tenant_id, operation, fingerprint, fingerprint_version, members, status, answer, created_at)
select id, tenant_id, 'POST /v1/orders', fingerprint, fingerprint_version, members,
       case when answer is not null then 201 end, answer, created_at
  from orders;

alter table orders
  drop column fingerprint, drop column fingerprint_version, drop column members, drop column answer;

-- Serves the end of retention, oldest first. No update of a key touches it.
create index keys_by_age on keys (created_at);

-- Which process does the housekeeping of keys (a lease, on the database's clock), and how far it has come.
create table sweeps (
  name text primary key,
  holder text,
  held_until timestamptz,
  swept_to timestamptz not null
);
insert into sweeps (name, swept_to) values ('answers', '-infinity'), ('tombstones', '-infinity');
