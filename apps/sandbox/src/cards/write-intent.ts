import type { PaymentApi } from '../api/payment-api.ts';
import { type Change, guarded } from '../api/provider-idempotency.ts';
import type { EventDraft } from '../webhooks/events.ts';
import type { Intent } from './payment-intent.ts';
import { renderIntent } from './render-intent.ts';

/**
 * How an intent is written.
 *
 * - K1 A captured amount and its ledger entry are written in the statement that changes the intent (see `guarded`).
 * - K2 A change is guarded by the intent's version: of two that were decided on the same state, one is decided again.
 */

// Written beside the change of state, never later: what was captured and what is in the ledger cannot differ.
const CAPTURED = `
  captured as (
    insert into ledger (intent_id, entry_id, kind, amount, currency, order_id, tenant_id)
    select intent_id, charge_id, 'captured', amount_received, currency, metadata->>'order_id', metadata->>'tenant_id'
      from changed where status = 'succeeded'
  )`;

// As Stripe has it: what is not captured with a capture in part is listed as a refund. It moves no money: the ledger has none of it.
const UNCAPTURED = `
  uncaptured as (
    insert into refunds (intent_id, refund_id, charge_id, amount, currency, metadata, created_at, status, is_uncaptured)
    select intent_id, 're_' || substr(intent_id, 4) || '00000000', charge_id, amount - amount_received, currency, '{}',
           clock_timestamp(), 'succeeded', true
      from changed where status = 'succeeded' and amount_received < amount
  )`;

const CREATE = guarded(
  'sandbox.create-intent',
  'select 1 as one from free where free.yes',
  `changed as (
    insert into payment_intents
      (intent_id, version, amount, currency, status, capture_method, payment_method, customer, return_url, next_action,
       charge_id, amount_received, amount_capturable, amount_refunded, last_payment_error, metadata, description,
       created_at, due, due_at)
    select $8::text, $9::int, $10::bigint, $11::text, $12::text, $13::text, $14::text, $15::text, $16::text, $17::jsonb,
           $18::text, $19::bigint, $20::bigint, 0, $21::jsonb, $22::jsonb, $23::text,
           to_timestamp($24::float8), $25::text, to_timestamp($26::float8)
      from mine
    returning intent_id, charge_id, amount_received, currency, metadata, status
  ),${CAPTURED}`,
  'select count(*) = 1 from changed',
);

/** Locks the intent in the version that a change was decided on; $8 and $9. */
export const TARGET_INTENT = `
  select i.intent_id from payment_intents i, free
   where free.yes and i.intent_id = $8::text and i.version = $9::int for update of i`;

const CHANGE = guarded(
  'sandbox.change-intent',
  TARGET_INTENT,
  `changed as (
    update payment_intents i
       set version = i.version + 1, status = $10::text, payment_method = $11::text, charge_id = $12::text,
           amount_received = $13::bigint, last_payment_error = $14::jsonb, cancellation_reason = $15::text,
           canceled_at = to_timestamp($16::float8), return_url = $17::text, next_action = $18::jsonb,
           amount_capturable = $19::bigint, due = $20::text, due_at = to_timestamp($21::float8)
      from mine where i.intent_id = mine.intent_id
    returning i.intent_id, i.charge_id, i.amount, i.amount_received, i.currency, i.metadata, i.status
  ),${CAPTURED},${UNCAPTURED}`,
  'select count(*) = 1 from changed',
);

function createColumns(intent: Intent): unknown[] {
  return [
    intent.intentId,
    intent.version,
    intent.amount,
    intent.currency,
    intent.status,
    intent.captureMethod,
    intent.paymentMethod,
    intent.customer,
    intent.returnUrl,
    json(intent.nextAction),
    intent.chargeId,
    intent.amountReceived,
    intent.amountCapturable,
    json(intent.lastPaymentError),
    json(intent.metadata),
    intent.description,
    intent.createdAt,
    intent.due,
    intent.dueAt,
  ];
}

/** @param isUntouched it is only created, without an attempt to pay it */
export function creationOf({ webhooks }: Pick<PaymentApi, 'webhooks'>, made: Intent, isUntouched: boolean): Change {
  const type = isUntouched ? 'payment_intent.created' : EVENT_OF[made.status];
  return {
    statement: CREATE,
    made,
    events: webhooks.draw(type, made.intentId, renderIntent(made)),
    values: createColumns(made),
  };
}

export function changeOf(api: Pick<PaymentApi, 'webhooks'>, before: Intent, next: Intent): Change {
  return {
    statement: CHANGE,
    events: eventsOf(api, next),
    values: [
      before.intentId,
      before.version,
      next.status,
      next.paymentMethod,
      next.chargeId,
      next.amountReceived,
      json(next.lastPaymentError),
      next.cancellationReason,
      next.canceledAt,
      next.returnUrl,
      json(next.nextAction),
      next.amountCapturable,
      next.due,
      next.dueAt,
    ],
  };
}

const json = (value: object | null) => value && JSON.stringify(value);

const EVENT_OF: Record<Intent['status'], string> = {
  requires_payment_method: 'payment_intent.payment_failed',
  requires_confirmation: 'payment_intent.created',
  requires_action: 'payment_intent.requires_action',
  processing: 'payment_intent.processing',
  requires_capture: 'payment_intent.amount_capturable_updated',
  succeeded: 'payment_intent.succeeded',
  canceled: 'payment_intent.canceled',
};

function eventsOf({ webhooks }: Pick<PaymentApi, 'webhooks'>, next: Intent): EventDraft[] {
  return webhooks.draw(EVENT_OF[next.status], next.intentId, renderIntent(next));
}
