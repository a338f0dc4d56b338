-- The outside world: a card provider and a carrier. One database, never sharded, yet kept to the same rule as the
-- services: the distribution column is in every primary key and unique constraint, and no foreign key crosses tables.

create table payment_intents (
  intent_id text primary key,
  -- Order of creation, for newest-first lists.
  seq bigint generated always as identity,
  -- Every change is guarded by the version it was decided on.
  version integer not null,
  amount bigint not null check (amount between 1 and 99999999),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  status text not null
    check (status in ('requires_payment_method', 'requires_confirmation', 'requires_action', 'processing',
                      'requires_capture', 'succeeded', 'canceled')),
  capture_method text not null check (capture_method in ('automatic', 'manual')),
  payment_method text,
  customer text,
  return_url text,
  -- Where the customer answers the bank, and how the page gets there.
  next_action jsonb,
  -- The latest attempt's charge, successful or not.
  charge_id text,
  amount_received bigint not null check (amount_received between 0 and amount),
  amount_capturable bigint not null check (amount_capturable between 0 and amount),
  amount_refunded bigint not null check (amount_refunded between 0 and amount_received),
  disputed boolean not null default false,
  last_payment_error jsonb,
  metadata jsonb not null,
  description text,
  cancellation_reason text,
  canceled_at timestamptz,
  created_at timestamptz not null,
  -- What happens by itself, and when: the bank decides, or an authorisation runs out.
  due text check (due in ('succeed', 'fail', 'expire', 'dispute')),
  due_at timestamptz,
  check ((status = 'succeeded') = (amount_received > 0)),
  check ((status = 'requires_capture') = (amount_capturable > 0)),
  check ((status = 'requires_action') = (next_action is not null)),
  check ((status = 'canceled') = (canceled_at is not null)),
  check ((due is null) = (due_at is null))
) with (fillfactor = 80);
create index payment_intents_by_seq on payment_intents (seq);
create index payment_intents_due on payment_intents (due_at) where due_at is not null;

create table refunds (
  intent_id text not null,
  refund_id text not null,
  seq bigint generated always as identity,
  charge_id text not null,
  amount bigint not null check (amount > 0),
  currency text not null,
  reason text,
  metadata jsonb not null,
  status text not null check (status in ('pending', 'succeeded', 'failed')),
  failure_reason text,
  created_at timestamptz not null,
  -- What the bank says later, and when.
  due text check (due in ('succeed', 'fail')),
  due_at timestamptz,
  -- What a capture in part has left of the authorisation: listed as a refund, and no money has moved.
  is_uncaptured boolean not null default false,
  primary key (intent_id, refund_id),
  check ((status = 'failed') = (failure_reason is not null)),
  check ((due is null) = (due_at is null))
);
create index refunds_due on refunds (due_at) where due_at is not null;

-- A customer takes the money back through the bank.
create table disputes (
  intent_id text not null,
  dispute_id text not null,
  seq bigint generated always as identity,
  charge_id text not null,
  amount bigint not null check (amount > 0),
  currency text not null,
  reason text not null,
  status text not null check (status in ('needs_response', 'won', 'lost')),
  created_at timestamptz not null,
  primary key (intent_id, dispute_id)
);

-- What happened to an object, as the endpoint of webhooks is told; written only where one is set.
create table events (
  intent_id text not null,
  event_id text not null,
  type text not null,
  -- As it is signed and sent, byte for byte.
  body text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (intent_id, event_id)
);

-- One row for each time that an event is to arrive: none for one that is lost.
create table deliveries (
  intent_id text not null,
  event_id text not null,
  copy integer not null,
  due_at timestamptz not null,
  attempts integer not null default 0,
  -- Taken by the endpoint, or given up.
  settled_at timestamptz,
  primary key (intent_id, event_id, copy)
);
create index deliveries_due on deliveries (due_at) where settled_at is null;

create table webhook_settings (
  singleton boolean primary key default true check (singleton),
  url text,
  secret text not null
);
-- For the list of all, newest first.
create index refunds_by_seq on refunds (seq);
create index disputes_by_seq on disputes (seq);

-- What money moved. Written in the same statement as the change of state, read by the auditor.
create table ledger (
  intent_id text not null,
  -- The charge, the refund or the dispute.
  entry_id text not null,
  -- `refund_failed` and `dispute_won` take back what `refunded` and `disputed` have given.
  kind text not null check (kind in ('captured', 'refunded', 'refund_failed', 'disputed', 'dispute_won')),
  amount bigint not null check (amount > 0),
  currency text not null,
  order_id text,
  tenant_id text,
  at timestamptz not null default clock_timestamp(),
  primary key (intent_id, entry_id, kind)
);
-- A card is captured once per intent, whatever the code above it does.
create unique index ledger_one_capture on ledger (intent_id) where kind = 'captured';

create function refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only: add an entry instead of changing or deleting one';
end
$$;
create trigger ledger_append_only before update or delete or truncate on ledger
  for each statement execute function refuse_ledger_change();

create table idempotency_keys (
  key text primary key,
  operation text not null,
  fingerprint bytea not null,
  status integer not null,
  body text not null,
  request_id text not null,
  expires_at timestamptz not null
);
create index idempotency_keys_by_expiry on idempotency_keys (expires_at);

-- One row per reference, ever: a booking, a tombstone left by an early cancellation, or a refusal drawn as a fault.
create table shipments (
  reference text primary key,
  -- Null for a tombstone and a refusal: nothing was booked.
  shipment_id text,
  tracking_number text,
  status text not null check (status in ('booked', 'cancelled', 'refused')),
  ship_to jsonb,
  parcels jsonb,
  created_at timestamptz not null default clock_timestamp(),
  cancelled_at timestamptz,
  check (status <> 'booked' or (shipment_id is not null and tracking_number is not null)),
  check (status <> 'refused' or shipment_id is null),
  check ((status = 'cancelled') = (cancelled_at is not null))
);
create index shipments_by_id on shipments (shipment_id) where shipment_id is not null;

create table fault_settings (
  singleton boolean primary key default true check (singleton),
  version bigint not null,
  settings jsonb not null,
  set_at timestamptz not null default clock_timestamp()
);
