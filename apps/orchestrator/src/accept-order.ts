/*
 * Accepting an order: claim its key, start its saga, and settle what the key is answered. One way for HTTP and gRPC.
 *
 * S1  insertOrder is one statement: key, order and saga, or nothing.
 * K1  Nobody hears an answer that is not stored.
 * K2  Every later request under the key gets the stored answer, or is refused when it asks for something else.
 * K5  A key past its retention shows the order as it is now; nothing runs.
 * K7  A duplicate waits in memory (open-keys.ts).
 *
 * Crash windows: before the insert commits, nothing has happened. After it, the saga is adopted from this process
 * when it dies, and its terminal checkpoint settles the answer if nobody has before.
 */
import type { Fingerprint, Fingerprinter } from '@holdfast/idempotency';
import type { Pool } from '@holdfast/postgres';
import type { Engine } from '@holdfast/saga';
import { isForgotten, isPastRetention, type Retention } from './key-retention.ts';
import { findStoredKey, PLACE_ORDER, type StoredAnswer, type StoredKey, settleKey } from './key-store.ts';
import type { OpenKey, OpenKeys } from './open-keys.ts';
import { type AcceptedOrder, JUST_ACCEPTED, type OrderRequest, viewOrder } from './order.ts';
import { insertOrder, ORDER_ACCEPTED, readOrder } from './order-store.ts';

export interface OrderBook {
  pool: Pool;
  engine: Engine;
  fingerprinter: Fingerprinter;
  openKeys: OpenKeys;
  retention: Retention;
  deadlineMs: number;
  now: () => Date;
}

export interface Placement {
  tenantId: string;
  key: string;
  request: OrderRequest;
  /** How long the caller would wait for the terminal status; at most MAX_WAIT_MS. */
  waitMs: number;
  traceparent: string;
  /** Aborted when the caller hangs up; the order goes on (H13). */
  signal: AbortSignal;
}

export type Placed =
  | { kind: 'answered'; id: string; body: string; replayed: boolean; claimedAt: Date }
  /** The first request under this key is still waiting for its answer. */
  | { kind: 'in_progress'; claimedAt: Date }
  | Reused
  /** Too many orders are under way, or this process has lost its lease. Nothing was done. */
  | { kind: 'busy' }
  /** The key says that it is older than anything that is remembered. Nothing was done. */
  | { kind: 'forgotten' };

/** The key stands for another request. `differing`: names of top-level members; none where the operation differs. */
export interface Reused {
  kind: 'reused';
  differing: string[];
  claimedAt: Date;
}

/** The longest that a first caller waits for its order to end. */
export const MAX_WAIT_MS = 30_000;
const MAX_DUPLICATE_WAIT_MS = 5_000;
/** Nobody who could still settle an open answer is waiting any more. */
const ABANDONED_AFTER_MS = MAX_WAIT_MS + 15_000;

interface Attempt {
  id: string;
  placement: Placement;
  fingerprint: Fingerprint;
}

/** @throws pg errors: the outcome is unknown then, and the same key will tell */
export async function acceptOrder(book: OrderBook, placement: Placement): Promise<Placed> {
  const { fingerprinter, openKeys } = book;
  const attempt: Attempt = {
    id: keyId(fingerprinter, placement.tenantId, placement.key),
    placement,
    fingerprint: fingerprinter.of(PLACE_ORDER, placement.request, { nameMembers: true }),
  };
  const waitUntilMs = performance.now() + Math.min(placement.waitMs, MAX_DUPLICATE_WAIT_MS);
  const open = openKeys.find(attempt.id);
  if (open !== undefined) return await meetOpen(book, attempt, open, waitUntilMs);
  if (isForgotten(book.retention, placement.key, book.now())) {
    const isKnown = (await findStoredKey(book.pool, attempt.id)) !== undefined;
    if (!isKnown) return { kind: 'forgotten' };
  }
  return (await placeFirst(book, attempt)) ?? (await meetStored(book, attempt, waitUntilMs));
}

/** The row of a key, whatever it is used for; of an order's key it is the order's id. */
export function keyId(fingerprinter: Fingerprinter, tenantId: string, key: string): string {
  return fingerprinter.derivedId('order', tenantId, key);
}

/** @returns undefined when the key stands for something already, or can't have an order now */
async function placeFirst(book: OrderBook, attempt: Attempt): Promise<Placed | undefined> {
  const { engine, pool } = book;
  const { id, placement, fingerprint } = attempt;
  // Admitted before the insert: the sweep must not take the saga up a second time between commit and run().
  const seat = engine.admit(id);
  if (seat.kind !== 'admitted') return undefined;
  const claimedAt = book.now();
  const order: AcceptedOrder = {
    ...placement.request,
    tenantId: placement.tenantId,
    createdAt: claimedAt.toISOString(),
    traceparent: placement.traceparent,
  };
  const opened = book.openKeys.open(id, {
    operation: PLACE_ORDER,
    fingerprint: fingerprint.digest,
    members: fingerprint.members,
    createdAt: claimedAt,
  });
  let stored: StoredAnswer | undefined;
  try {
    const answer = placement.waitMs > 0 ? null : justAccepted(id, order);
    const entry = { id, order, fingerprint, answer, ownerId: seat.ownerId, deadlineMs: book.deadlineMs };
    // When it throws it may have committed all the same: then the sweep finds the saga and runs it (S1).
    const row = await insertOrder(pool, entry);
    if (row === undefined) return undefined;
    seat.run(row);
    if (answer === null) opened.claimed();
    stored = answer === null ? await settleWhenEnded(book, placement, id) : { status: ORDER_ACCEPTED, answer };
    if (!stored?.answer) return { kind: 'in_progress', claimedAt };
    return { kind: 'answered', id, body: stored.answer, replayed: false, claimedAt };
  } finally {
    seat.release();
    opened.end(stored);
  }
}

function justAccepted(id: string, order: AcceptedOrder): string {
  return JSON.stringify(viewOrder(id, order, JUST_ACCEPTED, order.createdAt));
}

/**
 * Waits for the end; if it doesn't come in time, what the order is now becomes the answer. A caller that hung up hears
 * nothing, so the answer stays open: the terminal checkpoint settles it, and a retry gets the end (H13).
 */
async function settleWhenEnded(book: OrderBook, placement: Placement, id: string): Promise<StoredAnswer | undefined> {
  await book.engine.waitForEnd(id, placement.waitMs, placement.signal);
  const stored = await findStoredKey(book.pool, id);
  if (stored?.status) return { status: stored.status, answer: stored.answer };
  if (placement.signal.aborted) return undefined;
  return await settleAsItIs(book, placement.tenantId, id);
}

async function settleAsItIs(book: OrderBook, tenantId: string, id: string): Promise<StoredAnswer> {
  const view = await readOrder(book.pool, tenantId, id);
  return await settleKey(book.pool, id, ORDER_ACCEPTED, JSON.stringify(view));
}

/** The key has a row already, or can't have one now. */
async function meetStored(book: OrderBook, attempt: Attempt, waitUntilMs: number): Promise<Placed> {
  const stored = await findStoredKey(book.pool, attempt.id);
  if (stored === undefined) return { kind: 'busy' };
  const reused = reuse(stored, PLACE_ORDER, attempt.fingerprint);
  if (reused !== undefined) return reused;
  const { status, answer } = stored;
  if (status !== null) return await replay(book, attempt, { status, answer }, stored.createdAt);
  if (book.now().getTime() - stored.createdAt.getTime() > ABANDONED_AFTER_MS) {
    const settled = await settleAsItIs(book, attempt.placement.tenantId, attempt.id);
    return await replay(book, attempt, settled, stored.createdAt);
  }
  return await meetOpen(book, attempt, stored, waitUntilMs);
}

/** The first request under the key has no answer yet. */
async function meetOpen(book: OrderBook, attempt: Attempt, open: OpenKey, waitUntilMs: number): Promise<Placed> {
  const reused = reuse(open, PLACE_ORDER, attempt.fingerprint);
  if (reused !== undefined) return reused;
  const { signal } = attempt.placement;
  const waited = await book.openKeys.wait(attempt.id, open, waitUntilMs - performance.now(), signal);
  switch (waited.kind) {
    case 'answered':
      return await replay(book, attempt, waited.answer, open.createdAt);
    case 'ended':
      return await meetStored(book, attempt, waitUntilMs);
    case 'pending':
      return { kind: 'in_progress', claimedAt: open.createdAt };
  }
}

async function replay(book: OrderBook, attempt: Attempt, answer: StoredAnswer, claimedAt: Date): Promise<Placed> {
  const { id, placement } = attempt;
  const isPast = answer.answer === null || isPastRetention(book.retention, claimedAt, book.now());
  const body = isPast ? JSON.stringify(await readOrder(book.pool, placement.tenantId, id)) : (answer.answer ?? '');
  return { kind: 'answered', id, body, replayed: true, claimedAt };
}

/** @returns undefined when the key stands for this very request (K2) */
export function reuse(
  stored: Pick<StoredKey, 'operation' | 'fingerprint' | 'members' | 'createdAt'>,
  operation: string,
  sent: Fingerprint,
): Reused | undefined {
  const { createdAt: claimedAt } = stored;
  // Members of another operation would say what the key was used for.
  if (stored.operation !== operation) return { kind: 'reused', differing: [], claimedAt };
  if (stored.fingerprint.equals(sent.digest)) return undefined;
  return { kind: 'reused', differing: differingMembers(stored.members, sent.members), claimedAt };
}

/** Names of the top-level members that differ; never their values. None where they are not known any more. */
function differingMembers(stored: Record<string, string> | null, sent: Record<string, string> | null): string[] {
  if (stored === null || sent === null) return [];
  const names = new Set([...Object.keys(stored), ...Object.keys(sent)]);
  return [...names].filter((name) => stored[name] !== sent[name]).sort();
}
