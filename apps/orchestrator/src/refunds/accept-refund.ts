/*
 * Accepting a refund: claim its key, store it, start its saga. One way for HTTP and gRPC.
 *
 * S1  The insert is one statement: key, refund and saga, or nothing.
 * K1  The answer is stored by that statement, before it is sent.
 * K2  Every later request under the key gets the stored answer, or is refused when it differs.
 * K5  A key past its retention shows the refund as it is now; nothing runs.
 * T4  Who asks for it is written by that statement too, and that it was accepted. Whether it succeeds the refund itself says.
 * M1  Only a completed order is refunded: `completed` is terminal and durable before anybody reads it, so that no undo of this
 *     order is under way or can come any more. What may be given back is decided by payment's books, in the saga.
 *
 * Crash windows: before the insert commits, nothing has happened. After it, the saga is adopted from this process when it dies.
 */
import { type ClaimedRequest, type Fingerprint, isSameRequest, runIdempotent } from '@holdfast/idempotency';
import type { ChangeOrigin } from '../audit/audit-entry.ts';
import type { Fault } from '../http/problem.ts';
import { type AskedChange, entryOf } from '../keys/change-once.ts';
import { isPastRetention, isTooOld } from '../keys/key-retention.ts';
import { findStoredKey, REFUND_ORDER, type StoredKey } from '../keys/key-store.ts';
import { keyId, type OrderDeps, type Reused, refusal } from '../orders/accept-order.ts';
import type { OrderStatus, OrderView } from '../orders/order.ts';
import { readOrder } from '../orders/order-store.ts';
import { type AcceptedRefund, type RefundRequest, viewAccepted } from './refund.ts';
import { REFUND_DEADLINE_MS } from './refund-order-saga.ts';
import { insertRefund, readRefund } from './refund-store.ts';

export type RefundDesk = Pick<OrderDeps, 'pool' | 'engine' | 'fingerprinter' | 'retention' | 'now'> & {
  inFlightKeys: Pick<OrderDeps['inFlightKeys'], 'singleFlight'>;
};

export interface RefundOrder {
  tenantId: string;
  orderId: string;
  key: string;
  request: RefundRequest;
  traceparent: string;
  origin: ChangeOrigin;
}

export type RefundAccepted =
  | { kind: 'completed'; id: string; body: string; replayed: boolean; claimedAt: Date }
  | { kind: 'in_progress'; claimedAt: Date }
  | Reused
  | { kind: 'unavailable' }
  | { kind: 'key_expired' }
  /** Nothing was claimed. */
  | { kind: 'no_such_order' }
  | { kind: 'not_completed'; status: OrderStatus }
  /** Its payment is only authorised. */
  | { kind: 'not_captured' }
  /** The request asks for what the order does not have. */
  | { kind: 'faulty'; faults: Fault[] };

/** One statement's time and a margin: a duplicate waits that long for the claim. */
const DUPLICATE_WAIT_MS = 1_000;

interface KeyedRefund extends RefundOrder {
  id: string;
  fingerprint: Fingerprint;
  order: OrderView;
}

/** @throws pg errors: the outcome is unknown then; send the same key again */
export async function acceptRefund(desk: RefundDesk, wanted: RefundOrder): Promise<RefundAccepted> {
  const { tenantId, orderId, key, request } = wanted;
  const order = await readOrder(desk.pool, tenantId, orderId);
  if (order === undefined) return { kind: 'no_such_order' };
  if (order.status !== 'completed') return { kind: 'not_completed', status: order.status };
  // Once it is, its capture has ended and its parcel has left.
  if (order.capture !== undefined && order.capture.status !== 'captured') return { kind: 'not_captured' };
  const faults = refundFaults(order, request);
  if (faults.length > 0) return { kind: 'faulty', faults };
  const id = keyId(desk.fingerprinter, tenantId, key);
  const fingerprint = desk.fingerprinter.of(REFUND_ORDER, { id: orderId, ...request }, { nameMembers: true });
  const keyed: KeyedRefund = { ...wanted, id, fingerprint, order };
  const call = { tenantId, key, operation: REFUND_ORDER, fingerprint, waitMs: DUPLICATE_WAIT_MS };
  return await runIdempotent<RefundAccepted>(desk.inFlightKeys.singleFlight, call, {
    attempt: (claimed) => claimRefund(desk, keyed, claimed),
    share: (accepted) => (accepted.kind === 'completed' ? { ...accepted, replayed: true } : undefined),
    reused: (claimedFor) => refusal(claimedFor, REFUND_ORDER, fingerprint, desk.now()),
    inProgress: (claimedFor) => ({ kind: 'in_progress', claimedAt: claimedFor?.createdAt ?? desk.now() }),
    waitUntilSettled: async (_ms, inProgress) => inProgress,
  });
}

async function claimRefund(
  desk: RefundDesk,
  keyed: KeyedRefund,
  claimed: (request: ClaimedRequest) => void,
): Promise<RefundAccepted> {
  const { pool, retention, now, engine } = desk;
  const { tenantId, id, key, fingerprint } = keyed;
  if (isTooOld(retention, key, now())) {
    const known = await findStoredKey(pool, { tenantId, id });
    return known === undefined ? { kind: 'key_expired' } : await handleExisting(desk, keyed, known);
  }
  const createdAt = now();
  const refund = acceptedRefund(keyed, createdAt);
  const answer = JSON.stringify(viewAccepted(id, refund));
  const entry = entryOf(askedRefund(keyed));
  const started = await engine.beginWith(id, (ownerId) =>
    insertRefund(pool, { id, refund, fingerprint, answer, ownerId, deadlineMs: REFUND_DEADLINE_MS, entry }),
  );
  if (started.kind === 'begun') {
    claimed({ operation: REFUND_ORDER, fingerprint: fingerprint.digest, members: fingerprint.members, createdAt });
    return { kind: 'completed', id, body: answer, replayed: false, claimedAt: createdAt };
  }
  const existing = started.kind === 'exists' ? started.existing : await findStoredKey(pool, { tenantId, id });
  return existing === undefined ? { kind: 'unavailable' } : await handleExisting(desk, keyed, existing);
}

function acceptedRefund({ tenantId, orderId, request, order, traceparent }: KeyedRefund, at: Date): AcceptedRefund {
  const { lines = [], reason = null } = request;
  const amount = request.amount ?? amountOf(order, lines);
  return {
    tenantId,
    orderId,
    amount,
    currency: order.currency,
    lines,
    reason,
    createdAt: at.toISOString(),
    traceparent,
  };
}

/** The refund's reason is the log's, where none was given for the log itself. */
function askedRefund({ orderId, request, origin }: KeyedRefund): AskedChange {
  const { amount, lines, reason = null } = request;
  return {
    operation: REFUND_ORDER,
    resource: `/v1/orders/${orderId}`,
    origin: { ...origin, reason: origin.reason ?? reason },
    asked: { amount, lines },
  };
}

function amountOf({ items }: OrderView, lines: { sku: string; quantity: number }[]): number {
  const priceOf = new Map(items.map(({ sku, unitPrice }) => [sku, unitPrice ?? 0]));
  return lines.reduce((sum, { sku, quantity }) => sum + quantity * (priceOf.get(sku) ?? 0), 0);
}

/** The key stands for something already. */
async function handleExisting(desk: RefundDesk, keyed: KeyedRefund, stored: StoredKey): Promise<RefundAccepted> {
  const { tenantId, orderId, id, fingerprint } = keyed;
  if (!isSameRequest(stored, { operation: REFUND_ORDER, fingerprint })) {
    return refusal(stored, REFUND_ORDER, fingerprint, desk.now());
  }
  const { answer, createdAt: claimedAt } = stored;
  const isPast = answer === null || isPastRetention(desk.retention, claimedAt, desk.now());
  const body = isPast ? JSON.stringify(await readRefund(desk.pool, { tenantId, orderId, id })) : answer;
  return { kind: 'completed', id, body, replayed: true, claimedAt };
}

/** What a schema can't say: amount, lines or both, and lines that the order has. How much may be given back says payment. */
function refundFaults(order: OrderView, { amount, lines }: RefundRequest): Fault[] {
  if (amount === undefined && lines === undefined) {
    return [{ pointer: '', detail: 'send `amount`, `lines` or both' }];
  }
  const ordered = new Map(order.items.map(({ sku, quantity }) => [sku, quantity]));
  const seen = new Set<string>();
  return (lines ?? []).flatMap(({ sku, quantity }, at): Fault[] => {
    const has = ordered.get(sku);
    const again = seen.has(sku);
    seen.add(sku);
    if (again) return [{ pointer: `/lines/${at}/sku`, detail: 'comes twice: send one line per SKU' }];
    if (has === undefined) return [{ pointer: `/lines/${at}/sku`, detail: 'the order has no such item' }];
    if (quantity <= has) return [];
    return [{ pointer: `/lines/${at}/quantity`, detail: `the order has ${has} of it: send no more` }];
  });
}
