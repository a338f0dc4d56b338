-- What customers have with us. The check is the last line of defence: whatever a statement gets wrong, the database
-- refuses to go below zero, or beyond what a caller can read without rounding (2^53 - 1).
create table accounts (
  tenant_id text not null,
  customer_id text not null,
  -- Minor units.
  balance bigint not null constraint accounts_balance_in_range check (balance between 0 and 9007199254740991),
  -- Fixed when the account is opened: a balance can't change its meaning.
  currency text not null,
  -- Rises with every change, in the statement that makes it.
  version bigint not null default 0,
  opened_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, customer_id)
) with (fillfactor = 70);

-- Every change of a balance, with its reason; the auditor adds them up (A1). `entry_key` is the key of the call (of the
-- step, of its undo), so that no change counts twice even when its claim has expired (K5).
create table account_entries (
  tenant_id text not null,
  customer_id text not null,
  entry_key text not null,
  kind text not null check (kind in ('set', 'adjust', 'debit', 'refund')),
  delta bigint not null,
  recorded_at timestamptz not null default clock_timestamp(),
  -- Of a set: balance and version, as they were and as they became.
  before jsonb,
  after jsonb,
  -- Of a set or an adjustment: the caller's proof that it has decided this change. The auditor makes it again.
  proof text,
  primary key (tenant_id, customer_id, entry_key),
  constraint account_entries_set_says_what
    check ((kind = 'set') = (before is not null) and (kind = 'set') = (after is not null))
);

-- At most one per order, ever (K5): the primary key outlives the claim. The payment method is never stored; every
-- attempt brings it.
--   created    a card charge whose outcome isn't known yet, or that the customer has to confirm
--   authorized the amount is set aside on the card, and is captured when the order is dispatched
--   capturing  a capture is decided: the provider is, or will be, asked for it
--   expired    the authorisation is gone, and nothing was taken: it ran out, or was cancelled at the provider
--   captured   the amount (or `captured_amount`) has been taken
--   refused    nothing has been taken, and never will be (S5)
--   undoing    turned back: nothing may be taken any more, what was taken is being given back at the provider
--   refunded   what was taken has been given back
--   cancelled  turned back before anything was taken
create table charges (
  tenant_id text not null,
  order_id text not null,
  customer_id text not null,
  method_kind text not null check (method_kind in ('balance', 'card')),
  amount bigint not null check (amount >= 0),
  currency text not null,
  state text not null check (state in ('created', 'authorized', 'capturing', 'expired', 'captured', 'refused', 'undoing',
                                       'refunded', 'cancelled')),
  -- The name the payment is known by, once money has moved: the provider's intent, or ours.
  payment_id text,
  -- The provider's payment intent, known before it is confirmed: what to ask about when an answer is lost.
  intent_id text,
  -- Until when the customer may confirm the payment.
  confirm_by timestamptz,
  -- Counts the attempts at the provider, of act and undo together; part of the keys sent there.
  provider_attempts int not null default 0,
  -- What the order's refunds (below) have given back, and what is set aside for those that are under way.
  refunded_amount bigint not null default 0 check (refunded_amount between 0 and amount),
  refunding_amount bigint not null default 0 check (refunding_amount >= 0),
  -- Of a charge that was authorised first: what was captured of its amount. Null: all of it.
  captured_amount bigint check (captured_amount between 0 and amount),
  refusal_reason text,
  refusal_message text,
  created_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  primary key (tenant_id, order_id),
  constraint charges_taken_has_payment check (state not in ('authorized', 'capturing', 'captured', 'refunded') or payment_id is not null),
  constraint charges_refused_has_reason check ((state = 'refused') = (refusal_reason is not null)),
  constraint charges_refunded_was_captured check (refunded_amount <= coalesce(captured_amount, amount))
) with (fillfactor = 70);

-- Of charges that are captured when the order is dispatched: until when they can be.
--   open      can be captured
--   expiring  can be captured, and runs out soon
--   expired   ran out, or was cancelled at the provider: it can't be captured any more
--   closed    captured, or given back
create table authorizations (
  tenant_id text not null,
  order_id text not null,
  state text not null default 'open' check (state in ('open', 'expiring', 'expired', 'closed')),
  expires_at timestamptz not null,
  -- Counts the changes; `told` is the last of them that the orchestrator has taken in.
  revision int not null default 1,
  told int not null default 1,
  changed_at timestamptz not null default clock_timestamp(),
  -- When the provider was last asked about it.
  looked_at timestamptz,
  primary key (tenant_id, order_id)
);
create index authorizations_open on authorizations (expires_at) where state in ('open', 'expiring');
create index authorizations_untold on authorizations (changed_at) where told < revision and state in ('expiring', 'expired');

-- Captures of authorised charges; one that is not `failed` or `released` at most for each charge.
--   reserved  decided; the provider may have been asked for it
--   captured  the provider has taken the amount
--   failed    nothing was taken by it, and never will be
--   released  its saga turned back before anything was asked for
create table captures (
  tenant_id text not null,
  order_id text not null,
  -- The id of its saga.
  capture_id text not null,
  -- Minor units: what was asked for, and what was taken.
  amount bigint not null check (amount >= 0),
  state text not null check (state in ('reserved', 'captured', 'failed', 'released')),
  -- Why it has failed.
  reason text,
  -- Attempts at the provider, and the number of the key that they send along: see capture-charge.ts.
  attempts int not null default 0,
  key_number int not null default 1,
  created_at timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  primary key (tenant_id, order_id, capture_id)
);

-- Everything that was given back of a charge, and what is about to be: one row a refund, whoever made it.
--   reserved   set aside of what was captured; the provider may have been asked for it
--   pending    the provider has taken it on, and has not said how it ends
--   succeeded  given back
--   failed     not given back, and never will be; also where the provider says so later
--   released   its saga turned back before anything was asked for
create table refunds (
  tenant_id text not null,
  order_id text not null,
  -- Of the API: the id of its saga. `undo`: of an order that turned back. Made at the provider: the provider's id.
  refund_id text not null,
  origin text not null check (origin in ('api', 'undo', 'provider')),
  amount bigint not null check (amount >= 0),
  state text not null check (state in ('reserved', 'pending', 'succeeded', 'failed', 'released')),
  provider_refund_id text,
  -- Why it has failed: the provider's code.
  reason text,
  -- Attempts at the provider, and the number of the key that they send along: see give-back.ts.
  attempts int not null default 0,
  key_number int not null default 1,
  -- Counts the changes; `told` is the last of them that the orchestrator has taken in.
  revision int not null default 1,
  told int not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, order_id, refund_id)
) with (fillfactor = 70);

-- Few rows at a time: what the orchestrator has not been told, and what the provider has not ended.
create index refunds_untold on refunds (changed_at)
  where told < revision and origin <> 'undo' and state in ('pending', 'succeeded', 'failed');
create index refunds_pending on refunds (changed_at) where state = 'pending';
-- Payments that customers take back through their banks, as the provider knows them.
create table disputes (
  tenant_id text not null,
  order_id text not null,
  dispute_id text not null,
  amount bigint not null check (amount >= 0),
  currency text not null,
  -- The provider's words.
  reason text not null,
  status text not null,
  -- When the provider opened it.
  opened_at timestamptz not null,
  -- Counts the changes; `told` is the last of them that the orchestrator has taken in.
  revision int not null default 1,
  told int not null default 0,
  changed_at timestamptz not null default clock_timestamp(),
  -- When the provider was last asked about it without having told.
  looked_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, order_id, dispute_id)
);
create index disputes_untold on disputes (changed_at) where told < revision;
-- Few rows at a time: what the bank has not decided.
create index disputes_open on disputes (looked_at)
  where status not in ('won', 'lost', 'warning_closed', 'prevented');

-- What the role that a service runs as may do where another one migrates (runner-rights.ts).
comment on table account_entries is 'insert-only';
