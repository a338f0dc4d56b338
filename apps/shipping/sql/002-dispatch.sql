-- A shipment that has left: the parcel is on its way and can't be cancelled any more.
alter table shipments add column dispatched_at timestamptz;
alter table shipments drop constraint shipments_state_check;
alter table shipments add constraint shipments_state_check
  check (state in ('requested', 'booked', 'refused', 'cancelled', 'dispatched'));
-- Whatever a statement gets wrong: what has left has an id, and does not become anything else.
alter table shipments add constraint shipments_dispatched_at
  check ((state = 'dispatched') = (dispatched_at is not null) and (dispatched_at is null or shipment_id is not null));

-- What has happened to shipments and is to be told to others: written by the statement that makes it true. The relay hands
-- it on and keeps it for a while.
create table shipment_outbox (
  tenant_id text not null,
  order_id text not null,
  kind text not null check (kind in ('dispatched')),
  at timestamptz not null default clock_timestamp(),
  relayed_at timestamptz,
  primary key (tenant_id, order_id, kind)
);
create index shipment_outbox_open on shipment_outbox (at) where relayed_at is null;
create index shipment_outbox_kept on shipment_outbox (relayed_at) where relayed_at is not null;

-- Which process relays (a lease, on the database's clock), and how many batches have been handed on.
create table shipment_relays (
  name text primary key,
  holder text,
  held_until timestamptz,
  batches bigint not null default 0
);
insert into shipment_relays (name) values ('shipment-events');
