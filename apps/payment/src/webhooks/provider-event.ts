import type Stripe from 'stripe';

/** What an event is about, which is all that is taken from it: the object is asked for. */
export type Told =
  | {
      kind: 'told';
      id: string;
      about: 'payment';
      intentId: string;
      order: { tenantId: string; orderId: string };
      isCancelled: boolean;
    }
  | { kind: 'told'; id: string; about: 'refund'; intentId: string }
  | { kind: 'told'; id: string; about: 'dispute'; intentId: string; disputeId: string };

/** What came of it. `repeated`: it had been heard before. `no-effect`: no charge of ours, or none that it matters to. */
export type Heard = 'heard' | 'repeated' | 'no-effect';

const EVENT_ID = /^evt_\w{1,100}$/;
const INTENT_ID = /^pi_\w{1,100}$/;
// `dp_` of the newer, `du_` of the older.
const DISPUTE_ID = /^d[pu]_\w{1,100}$/;
const NAME = /^[A-Za-z0-9._~:-]{1,128}$/;

/** Events of other kinds, and of payments that no order of ours has made, are none of ours to deal with. */
export function readEvent(event: Stripe.Event): Told | { kind: 'ignored' } {
  const { id, type } = event;
  const object = event.data.object as {
    id?: unknown;
    payment_intent?: unknown;
    metadata?: Record<string, string> | null;
  };
  if (!EVENT_ID.test(id)) return IGNORED;
  // That it was created we know: nothing waits for that.
  if (type.startsWith('payment_intent.') && type !== 'payment_intent.created') {
    const { order_id: orderId = '', tenant_id: tenantId = '' } = object.metadata ?? {};
    if (!isText(object.id, INTENT_ID) || !NAME.test(orderId) || !NAME.test(tenantId)) return IGNORED;
    const isCancelled = type === 'payment_intent.canceled';
    return { kind: 'told', id, about: 'payment', intentId: object.id, order: { tenantId, orderId }, isCancelled };
  }
  if (type.startsWith('charge.dispute.')) {
    const { id: disputeId, payment_intent: intentId } = object;
    if (!isText(disputeId, DISPUTE_ID) || !isText(intentId, INTENT_ID)) return IGNORED;
    return { kind: 'told', id, about: 'dispute', intentId, disputeId };
  }
  if (type === 'charge.refunded' || type.startsWith('refund.') || type.startsWith('charge.refund.')) {
    const { payment_intent: intentId } = object;
    return isText(intentId, INTENT_ID) ? { kind: 'told', id, about: 'refund', intentId } : IGNORED;
  }
  return IGNORED;
}

const IGNORED = { kind: 'ignored' } as const;

function isText(value: unknown, shape: RegExp): value is string {
  return typeof value === 'string' && shape.test(value);
}
