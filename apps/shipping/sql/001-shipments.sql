-- One shipment per order, ever (K5): the primary key outlives the claim. Where a carrier books it, the row is there
-- before the carrier hears of it (K1), so whatever may exist at the carrier can be found from here.
create table shipments (
  tenant_id text not null,
  order_id text not null,
  -- Ours or the carrier's; null as long as the carrier has not told it.
  shipment_id text,
  -- Whose it is, as decided when it was asked for. A change of CARRIER_URL later does not move it.
  carrier boolean not null,
  -- dispatched: it has left. The parcel is on its way and can't be cancelled any more.
  state text not null check (state in ('requested', 'booked', 'refused', 'cancelled', 'dispatched')),
  -- {"name", "line1", "city", "country"}, and those that were sent of {"postalCode", "line2", "region", "phone", "company"}
  ship_to jsonb not null,
  -- [{"sku", "quantity"}]
  parcels jsonb not null,
  requested_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  cancelled_at timestamptz,
  dispatched_at timestamptz,
  -- What the request to dispatch it was made under: proves to the auditor that the API has decided it. Null: nothing was sent.
  dispatch_key text,
  -- Since then goods of it are free for others, returned before it had left: it is not dispatched any more.
  withheld_at timestamptz,
  primary key (tenant_id, order_id),
  constraint shipments_booked_has_id check (state <> 'booked' or shipment_id is not null),
  -- Without a carrier there is nobody to wait for.
  constraint shipments_own_is_settled check (carrier or state <> 'requested'),
  constraint shipments_cancelled_at check ((state = 'cancelled') = (cancelled_at is not null)),
  constraint shipments_withheld_stays check (withheld_at is null or state <> 'dispatched'),
  -- Whatever a statement gets wrong: what has left has an id, and does not become anything else.
  constraint shipments_dispatched_at
    check ((state = 'dispatched') = (dispatched_at is not null) and (dispatched_at is null or shipment_id is not null))
);
