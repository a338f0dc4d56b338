/*
 * Accepting an order: claim its key, start its saga, and settle what the key is answered. One way for HTTP and gRPC.
 *
 * S1  insertOrder is one statement: order and saga, or neither.
 * K1  Nobody hears an answer that is not stored.
 * K2  Every later request under the key gets the stored answer, or is refused when it asks for something else.
 *
 * Crash windows: before the insert commits, nothing has happened. After it, the saga is adopted from this process
 * when it dies, and its terminal checkpoint settles the answer if nobody has before.
 */
import type { Fingerprinter } from '@holdfast/idempotency';
import type { Pool } from '@holdfast/postgres';
import type { Engine } from '@holdfast/saga';
import { type AcceptedOrder, JUST_ACCEPTED, type OrderRequest, viewOrder } from './order.ts';
import { findStoredKey, fixAnswer, type InsertOrder, readOrder, type StoredKey } from './order-store.ts';

export interface OrderBook {
  pool: Pool;
  insertOrder: InsertOrder;
  engine: Engine;
  fingerprinter: Fingerprinter;
  deadlineMs: number;
  now: () => Date;
}

export interface Placement {
  tenantId: string;
  key: string;
  request: OrderRequest;
  /** How long the caller would wait for the terminal status. */
  waitMs: number;
  traceparent: string;
  /** Aborted when the caller hangs up; the order goes on (H13). */
  signal: AbortSignal;
}

export type Placed =
  | { kind: 'answered'; id: string; body: string; replayed: boolean; claimedAt: Date }
  /** The first request under this key is still waiting for its answer. */
  | { kind: 'in_progress' }
  | { kind: 'reused'; differing: string[] }
  /** Too many orders are under way, or this process has lost its lease. Nothing was done. */
  | { kind: 'busy' };

const OPERATION = 'POST /v1/orders';
const MAX_DUPLICATE_WAIT_MS = 5_000;

/** @throws pg errors: the outcome is unknown then, and the same key will tell */
export async function acceptOrder(book: OrderBook, placement: Placement): Promise<Placed> {
  const { engine, fingerprinter } = book;
  const id = fingerprinter.derivedId('order', placement.tenantId, placement.key);
  const fingerprint = fingerprinter.of(OPERATION, placement.request, { nameMembers: true });
  // Admitted before the insert: the sweep must not take the saga up a second time between commit and run().
  const seat = engine.admit(id);
  if (seat.kind === 'admitted') {
    const order: AcceptedOrder = {
      ...placement.request,
      tenantId: placement.tenantId,
      createdAt: book.now().toISOString(),
      traceparent: placement.traceparent,
    };
    const answer = placement.waitMs > 0 ? null : justAccepted(id, order);
    const row = await book
      .insertOrder({
        id,
        order,
        fingerprint,
        answer,
        ownerId: seat.ownerId,
        deadlineMs: book.deadlineMs,
      })
      .catch((error: unknown) => {
        // The insert may have committed all the same: then the sweep finds the saga and runs it (S1).
        seat.release();
        throw error;
      });
    if (row !== undefined) {
      seat.run(row);
      const claimedAt = new Date(order.createdAt);
      const body = answer ?? (await settleWhenEnded(book, placement, id));
      return { kind: 'answered', id, body, replayed: false, claimedAt };
    }
    seat.release();
  }
  return await meetStored(book, placement, id, fingerprint);
}

function justAccepted(id: string, order: AcceptedOrder): string {
  return JSON.stringify(viewOrder(id, order, JUST_ACCEPTED, order.createdAt));
}

/** Waits for the end; if it doesn't come in time, what the order is now becomes the answer. */
async function settleWhenEnded(book: OrderBook, placement: Placement, id: string): Promise<string> {
  const end = await book.engine.waitForEnd(id, placement.waitMs, placement.signal);
  // Ended here, and this answer was stored with the end.
  if (end.kind === 'settled' && typeof end.snapshot.told === 'string') return end.snapshot.told;
  const stored = await findStoredKey(book.pool, id);
  if (stored?.answer) return stored.answer;
  const view = await readOrder(book.pool, placement.tenantId, id);
  return await fixAnswer(book.pool, id, JSON.stringify(view));
}

type Fingerprint = ReturnType<Fingerprinter['of']>;

/** The key has an order already, or can't have one now. */
async function meetStored(
  book: OrderBook,
  placement: Placement,
  id: string,
  fingerprint: Fingerprint,
): Promise<Placed> {
  const stored = await findStoredKey(book.pool, id);
  if (stored === undefined) return { kind: 'busy' };
  if (!stored.fingerprint.equals(fingerprint.digest)) {
    return { kind: 'reused', differing: differingMembers(stored.members, fingerprint.members ?? {}) };
  }
  const known = replay(id, stored);
  if (known !== undefined) return known;
  const waitMs = Math.min(placement.waitMs, MAX_DUPLICATE_WAIT_MS);
  if (waitMs > 0) await book.engine.waitForEnd(id, waitMs, placement.signal);
  const later = waitMs > 0 ? await findStoredKey(book.pool, id) : undefined;
  return (later && replay(id, later)) ?? { kind: 'in_progress' };
}

function replay(id: string, stored: StoredKey): Placed | undefined {
  if (stored.answer === null) return undefined;
  return { kind: 'answered', id, body: stored.answer, replayed: true, claimedAt: stored.createdAt };
}

/** Names of the top-level members that differ; never their values. */
function differingMembers(stored: Record<string, string>, sent: Record<string, string>): string[] {
  const names = new Set([...Object.keys(stored), ...Object.keys(sent)]);
  return [...names].filter((name) => stored[name] !== sent[name]).sort();
}
