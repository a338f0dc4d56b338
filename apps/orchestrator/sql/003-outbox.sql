-- What has happened to orders and is to be told to others: written by the statement that makes it true, so that neither can
-- be without the other. The relay hands it on and keeps it for a while; (order_id, kind) is the event's identity.
create table outbox (
  order_id text not null,
  kind text not null check (kind in ('accepted', 'completed', 'failed', 'cancelled')),
  tenant_id text not null,
  at timestamptz not null default clock_timestamp(),
  relayed_at timestamptz,
  primary key (order_id, kind)
);
create index outbox_open on outbox (at) where relayed_at is null;
create index outbox_kept on outbox (relayed_at) where relayed_at is not null;

-- Which process relays (a lease, on the database's clock), and how many batches have been handed on.
create table relays (
  name text primary key,
  holder text,
  held_until timestamptz,
  batches bigint not null default 0
);
insert into relays (name) values ('order-events');
