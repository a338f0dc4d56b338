/*
 * What a webhook brings about.
 *
 * An event is a hint: of a payment it says that there is something to ask about, and the charge's step asks; of a dispute,
 * the object itself is asked for. So neither the order of events, nor doubles, delay or loss change what comes of them.
 *
 * K1  The event's note and what it brings about are one transaction: both are committed, or neither.
 * K7  The provider is asked before that transaction begins.
 * E1  The hint to whoever waits for the charge is written in it; without a stream of events, polling finds what it would tell.
 */
import { PAYMENT_EVENTS } from '@holdfast/contracts';
import { defineOutbox, newEventsSql, takeNew } from '@holdfast/messaging';
import { type Pool, statement, type Transaction, transaction } from '@holdfast/postgres';
import { expireAuthorization, hasOpenAuthorization } from '../captures/authorization-store.ts';
import { captureStandingOf } from '../captures/capture-book.ts';
import { writeDispute } from '../disputes/dispute-store.ts';
import { retrieveDispute } from '../disputes/provider-disputes.ts';
import type { Called, Provider } from '../provider.ts';
import { type Learner, learnRefunds } from '../refunds/learn-refunds.ts';
import type { Heard, Told } from './provider-event.ts';

/** Kinds: `changed:<event>`, ask about the charge that waits; `disputed:<dispute>:<status>`, a dispute has come to this. */
export const PAYMENT_OUTBOX = defineOutbox({ name: PAYMENT_EVENTS, subject: 'payment' });

/** Who notes the events: stored data. */
const HEARS = 'stripe-webhooks';

// Only while the charge is open: what is decided needs no hint.
const publishHint = statement(
  'payment.publish-hint',
  `${newEventsSql({
    tenantId: 'tenant_id',
    orderId: 'order_id',
    kind: `'changed:' || $4::text`,
    source: `charges
      where tenant_id = $1::text and order_id = $2::text and intent_id = $3::text and state = 'created'`,
  })}
   on conflict do nothing`,
);

export interface HearingParts extends Learner {
  provider: Provider;
  /** Whether what happens is told in a stream. */
  publishes: boolean;
  /** Called for each dispute that is recorded or has changed. */
  onDispute: (status: string) => void;
  /** Called for each authorisation that has run out. */
  onAuthorization: (state: 'expired') => void;
}

/** @throws pg errors, and Error when the provider can't be asked: nothing is stored then, and the event comes again */
export async function hearEvent(parts: HearingParts, told: Told): Promise<Heard> {
  if (told.about === 'dispute') return await hearDispute(parts, told);
  if (told.about === 'refund') return await hearRefund(parts, told);
  if (told.isCancelled && (await hasOpenAuthorization(parts.pool, told.order))) return await hearExpiry(parts, told);
  // Without anybody to tell, the next poll finds it.
  if (!parts.publishes) return 'no-effect';
  const { id, intentId, order } = told;
  return await once(parts.pool, order, id, async (tx) => {
    const { rowCount } = await tx.query({ ...publishHint, values: [order.tenantId, order.orderId, intentId, id] });
    return rowCount === 1;
  });
}

/** An authorisation that nobody has captured. Learning changes nothing the second time: the event needs no note. */
async function hearExpiry(
  { pool, provider, onAuthorization }: HearingParts,
  { intentId, order }: Extract<Told, { about: 'payment' }>,
): Promise<Heard> {
  const intent = known(await provider.call('retrieve', provider.stripe.paymentIntents.retrieve(intentId)));
  if (captureStandingOf(intent).kind !== 'gone' || !(await expireAuthorization(pool, order))) return 'no-effect';
  onAuthorization('expired');
  return 'heard';
}

/** Learning changes nothing the second time: the event needs no note. */
async function hearRefund(parts: HearingParts, { intentId }: { intentId: string }): Promise<Heard> {
  const { provider } = parts;
  const intent = known(await provider.call('retrieve', provider.stripe.paymentIntents.retrieve(intentId)));
  const { order_id: orderId, tenant_id: tenantId } = intent.metadata;
  if (orderId === undefined || tenantId === undefined) return 'no-effect';
  const found = await learnRefunds(parts, { tenantId, orderId });
  if (found.kind === 'unknown') throw new Error('the card provider could not be asked about the refunds of a payment');
  return found.kind === 'learned' && found.changes > 0 ? 'heard' : 'no-effect';
}

async function hearDispute(
  { pool, provider, publishes, onDispute }: HearingParts,
  { id, disputeId, intentId }: Extract<Told, { about: 'dispute' }>,
): Promise<Heard> {
  const dispute = await retrieveDispute(provider, disputeId);
  if (dispute === undefined) throw new Error('the card provider could not be asked about a dispute');
  const intent = known(await provider.call('retrieve', provider.stripe.paymentIntents.retrieve(intentId)));
  const { order_id: orderId, tenant_id: tenantId } = intent.metadata;
  if (orderId === undefined || tenantId === undefined) return 'no-effect';
  const order = { tenantId, orderId };
  const heard = await once(pool, order, id, (tx) => writeDispute(tx, order, { ...dispute, intentId }, { publishes }));
  if (heard === 'heard') onDispute(dispute.status);
  return heard;
}

function known<T>(called: Called<T>): T {
  if (called.kind === 'completed') return called.result;
  throw new Error(`the card provider could not be asked (${called.error.type})`);
}

/** @param act returns whether it has changed anything */
async function once(
  pool: Pool,
  { tenantId, orderId }: { tenantId: string; orderId: string },
  eventId: string,
  act: (tx: Transaction) => Promise<boolean>,
): Promise<Heard> {
  return await transaction(pool, async (tx) => {
    const fresh = await takeNew(tx, HEARS, [{ tenantId, scope: orderId, id: eventId }]);
    if (fresh.length === 0) return 'repeated';
    return (await act(tx)) ? 'heard' : 'no-effect';
  });
}
