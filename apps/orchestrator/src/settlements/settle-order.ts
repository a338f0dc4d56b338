/*
 * Deciding about the payment of a completed order that is captured when it is dispatched: dispatch captures it, cancel releases it.
 *
 * M1  Only of a completed order: its own saga has ended for good, and undoes nothing any more. Dispatch and cancel, however many and
 *     wherever, meet at one primary key: one of them is decided, and the others see which.
 * S1  The decision and its saga are one statement. Who waits for its end may go away.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { dispatchKey } from '../keys/decision-proof.ts';
import type { OrderDeps } from '../orders/accept-order.ts';
import type { OrderView } from '../orders/order.ts';
import { SETTLEMENT_DEADLINE_MS } from './capture-order-saga.ts';
import { RELEASE_DEADLINE_MS } from './release-order-saga.ts';
import { mayFollow } from './settlement.ts';
import { insertSettlement, readSettlement, type Settlement } from './settlement-store.ts';

type Desk = Pick<OrderDeps, 'pool' | 'engine' | 'fingerprinter' | 'now' | 'publishesEvents'>;

export interface Decision {
  tenantId: string;
  order: OrderView;
  kind: 'capture' | 'release';
  /** Minor units to be captured. */
  amount: number;
  traceparent: string;
}

export type Decided =
  /** What is decided now: by this call, or by another one before. */
  { kind: 'decided'; settlement: Settlement } | { kind: 'unavailable' };

/** Each turn, somebody else was faster. */
const MAX_TURNS = 5;
const PAUSE_MS = 100;

interface Patience {
  waitMs: number;
  signal: AbortSignal;
}

/**
 * Decides it, or finds what is decided. A process without a lease has one again in a moment: that is waited for, as long as `waitMs`.
 * @throws pg errors: the outcome is unknown then; ask again
 */
export async function decideSettlement(desk: Desk, wanted: Decision, { waitMs, signal }: Patience): Promise<Decided> {
  const deadlineAtMs = performance.now() + waitMs;
  for (let turn = 1; turn <= MAX_TURNS; ) {
    const { tenantId, order, kind } = wanted;
    const last = await readSettlement(desk.pool, order.id);
    if (last !== undefined && !mayFollow(last, kind)) return { kind: 'decided', settlement: last };
    const number = (last?.number ?? 0) + 1;
    const sagaId = desk.fingerprinter.derivedId('settlement', tenantId, order.id, String(number));
    const started = await begin(desk, wanted, { sagaId, number });
    // crash here: it is decided, and an adopter drives its saga.
    if (started.kind !== 'unavailable') turn++;
    else if (signal.aborted || performance.now() >= deadlineAtMs) return { kind: 'unavailable' };
    else await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  throw new Error(`what is decided about order ${wanted.order.id} changes faster than it can be read`);
}

async function begin(
  { pool, engine, fingerprinter, now, publishesEvents }: Desk,
  { tenantId, order, kind, amount, traceparent }: Decision,
  { sagaId, number }: { sagaId: string; number: number },
) {
  const { id: orderId, currency } = order;
  const base = { tenantId, orderId, traceparent };
  const capture = { amount, currency, dispatchKey: dispatchKey(fingerprinter, { tenantId, orderId }) };
  const entry = {
    ...{ sagaId, orderId, number, tenantId, kind, amount, createdAt: now().toISOString() },
    input: kind === 'capture' ? { ...base, ...capture } : base,
    deadlineMs: kind === 'capture' ? SETTLEMENT_DEADLINE_MS : RELEASE_DEADLINE_MS,
  };
  return await engine.beginWith(sagaId, (ownerId) =>
    insertSettlement(pool, { ...entry, ownerId }, { publishesEvents }),
  );
}

/** Waits until its saga has ended, wherever it is driven. @returns the settlement as it is then */
export async function untilSettled(
  { engine, pool }: Desk,
  settlement: Settlement,
  orderId: string,
  { waitMs, signal }: Patience,
): Promise<Settlement> {
  const end = await engine.waitForEnd(settlement.sagaId, waitMs, signal);
  if (end.kind !== 'ended') return settlement;
  const now = await readSettlement(pool, orderId);
  return now?.sagaId === settlement.sagaId ? now : settlement;
}
