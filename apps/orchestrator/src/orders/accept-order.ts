/*
 * Accepting an order: claim its key, start its saga, and settle what the key is answered. One way for HTTP and gRPC.
 *
 * S1  startOrder's insert is one statement: key, order and saga, or nothing.
 * K1  Nobody hears an answer that is not stored.
 * K2  Every later request under the key gets the stored answer, or is refused when it asks for something else.
 * K5  A key past its retention shows the order as it is now; nothing runs.
 * K7  A duplicate waits in memory (open-keys.ts), and is compared only with what a committed row says.
 *
 * Crash windows: before the insert commits, nothing has happened. After it, the saga is adopted from this process
 * when it dies, and its terminal checkpoint settles the answer if nobody has before.
 */
import { differingMembers, type Fingerprint, type Fingerprinter, isSameRequest } from '@holdfast/idempotency';
import type { Pool } from '@holdfast/postgres';
import type { Engine, StartOutcome } from '@holdfast/saga';
import { isForgotten, isPastRetention, type Retention } from '../keys/key-retention.ts';
import {
  findStoredKey,
  type KeyId,
  ORDER_ACCEPTED,
  PLACE_ORDER,
  type StoredAnswer,
  type StoredKey,
  settleKey,
} from '../keys/key-store.ts';
import type { KnownAnswers } from '../keys/known-answers.ts';
import type { OpenKey, OpenKeys } from '../keys/open-keys.ts';
import { type AcceptedOrder, JUST_ACCEPTED, type OrderRequest, viewOrder } from './order.ts';
import { answerOfPayload, type NewOrder, readOrder, readRequest } from './order-store.ts';

export interface OrderBook {
  pool: Pool;
  /** The engine's starter: admits, inserts in groups, runs. */
  startOrder: (entry: NewOrder) => Promise<StartOutcome<StoredKey | undefined>>;
  engine: Engine;
  fingerprinter: Fingerprinter;
  openKeys: OpenKeys;
  retention: Retention;
  knownAnswers: KnownAnswers;
  deadlineMs: number;
  now: () => Date;
}

export interface Placement {
  tenantId: string;
  key: string;
  request: OrderRequest;
  /** The request as it came in; undefined where it did not come as JSON. */
  bytes?: Buffer | undefined;
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
  const { fingerprinter, openKeys, pool } = book;
  const attempt: Attempt = {
    id: keyId(fingerprinter, placement.tenantId, placement.key),
    placement,
    fingerprint: fingerprinter.of(PLACE_ORDER, placement.request, { nameMembers: true }),
  };
  const waitUntilMs = performance.now() + Math.min(placement.waitMs, MAX_DUPLICATE_WAIT_MS);
  let known = openKeys.known(attempt.id);
  if (known === undefined) {
    const told = await book.knownAnswers.find(attempt.id, keyedOrder(attempt));
    if (told !== undefined) return { kind: 'answered', replayed: true, ...told };
    // Nothing is awaited between this look and the claim, where nothing is known: two at once are one claim.
    known = openKeys.known(attempt.id);
  }
  const met = known instanceof Promise ? await known : known;
  if (met !== undefined) return await meet(book, attempt, met, waitUntilMs);
  if (isForgotten(book.retention, placement.key, book.now())) {
    const stored = await findStoredKey(pool, keyOfOrder(attempt));
    return stored === undefined ? { kind: 'forgotten' } : await meet(book, attempt, stored, waitUntilMs);
  }
  const claimed = await openKeys.claim(attempt.id, () => claimOrFind(book, attempt));
  if (claimed.kind === 'first') return await answerFirst(book, attempt, claimed);
  if (claimed.stored === undefined) return { kind: 'busy' };
  return await meet(book, attempt, claimed.stored, waitUntilMs);
}

/** As what is known of an order's answer is looked for. */
function keyedOrder({
  placement: { tenantId, key, bytes },
  fingerprint,
}: Attempt): Parameters<KnownAnswers['keep']>[0] {
  return { tenantId, key, bytes, fingerprint };
}

/** Where the key's claim is. */
function keyOfOrder({ id, placement: { tenantId } }: Attempt): KeyId {
  return { tenantId, id };
}

/** The claim of a key, whatever it is used for; of an order's key it is the order's id. */
export function keyId(fingerprinter: Fingerprinter, tenantId: string, key: string): string {
  return fingerprinter.idOfKey('order', tenantId, key);
}

type Claimed =
  /** The order is ours; its answer is stored, or open and to be told to `tell`. */
  | { kind: 'first'; stored: StoredKey; tell: ReturnType<OpenKeys['open']> }
  /** The key stands for something already; or for nothing, and can't have an order now. */
  | { kind: 'found'; stored: StoredKey | undefined };

async function claimOrFind(book: OrderBook, attempt: Attempt): Promise<Claimed> {
  const { id, placement, fingerprint } = attempt;
  const createdAt = book.now();
  const order: AcceptedOrder = {
    ...placement.request,
    tenantId: placement.tenantId,
    createdAt: createdAt.toISOString(),
    traceparent: placement.traceparent,
  };
  const answer = placement.waitMs > 0 ? null : justAccepted(id, order);
  // When it throws it may have committed all the same: then the sweep finds the saga and runs it (S1).
  const started = await book.startOrder({ id, order, fingerprint, answer, deadlineMs: book.deadlineMs });
  if (started.kind === 'exists') return { kind: 'found', stored: started.existing };
  if (started.kind !== 'begun') return { kind: 'found', stored: await findStoredKey(book.pool, keyOfOrder(attempt)) };
  const key = {
    tenantId: placement.tenantId,
    operation: PLACE_ORDER,
    resource: null,
    fingerprint: fingerprint.digest,
    members: null,
    createdAt,
  };
  const tell = answer === null ? book.openKeys.open(id, key) : () => {};
  return { kind: 'first', stored: { ...key, status: answer === null ? null : ORDER_ACCEPTED, answer }, tell };
}

/** The first request's answer: the stored one, or what the order has come to when the caller has waited enough. */
async function answerFirst(
  book: OrderBook,
  attempt: Attempt,
  { stored, tell }: Extract<Claimed, { kind: 'first' }>,
): Promise<Placed> {
  const { id } = attempt;
  const { createdAt: claimedAt } = stored;
  let answer: StoredAnswer | undefined;
  try {
    answer =
      stored.status === null ? await settleWhenEnded(book, attempt) : { status: stored.status, answer: stored.answer };
  } finally {
    tell(answer);
  }
  if (!answer?.answer) return { kind: 'in_progress', claimedAt };
  book.knownAnswers.keep(keyedOrder(attempt), { id, body: answer.answer, claimedAt });
  return { kind: 'answered', id, body: answer.answer, replayed: false, claimedAt };
}

function justAccepted(id: string, order: AcceptedOrder): string {
  return JSON.stringify(viewOrder(id, order, JUST_ACCEPTED, order.createdAt));
}

/**
 * Waits for the end; if it doesn't come in time, what the order is now becomes the answer. A caller that hung up hears
 * nothing, so the answer stays open: the terminal checkpoint settles it, and a retry gets the end (H13).
 */
async function settleWhenEnded(book: OrderBook, attempt: Attempt): Promise<StoredAnswer | undefined> {
  const { id, placement } = attempt;
  const end = await book.engine.waitForEnd(id, placement.waitMs, placement.signal);
  // Ended here, and this very answer was stored with the end (K1). Else another may stand: read it.
  if (end.kind === 'settled' && end.snapshot.storedByHook)
    return { status: ORDER_ACCEPTED, answer: answerOfPayload(end.snapshot.storedByHook) };
  const stored = await findStoredKey(book.pool, keyOfOrder(attempt));
  if (stored?.status) return { status: stored.status, answer: stored.answer };
  if (placement.signal.aborted) return undefined;
  return await settleAsItIs(book, keyOfOrder(attempt));
}

async function settleAsItIs(book: OrderBook, key: KeyId): Promise<StoredAnswer> {
  const view = await readOrder(book.pool, key.tenantId, key.id);
  return await settleKey(book.pool, { ...key, operation: PLACE_ORDER }, ORDER_ACCEPTED, JSON.stringify(view));
}

/** The key stands for something already: this very request, or another one. */
async function meet(book: OrderBook, attempt: Attempt, met: OpenKey | StoredKey, waitUntilMs: number): Promise<Placed> {
  const reused = reuse(met, PLACE_ORDER, attempt.fingerprint);
  if (reused !== undefined) return met.members === null ? await namingMembers(book, attempt, met, reused) : reused;
  const { createdAt } = met;
  if ('status' in met && met.status !== null) {
    // Found in the database: whoever was to remember it does not, or has forgotten.
    return await replay(
      book,
      attempt,
      { status: met.status, answer: met.answer },
      { claimedAt: createdAt, keep: true },
    );
  }
  if (book.now().getTime() - createdAt.getTime() > ABANDONED_AFTER_MS) {
    const settled = await settleAsItIs(book, keyOfOrder(attempt));
    return await replay(book, attempt, settled, { claimedAt: createdAt, keep: true });
  }
  const { signal } = attempt.placement;
  const { untilTold: told } = book.knownAnswers;
  const keyed = keyedOrder(attempt);
  const untilTold = told && ((ms: number) => told(keyed, ms));
  const waitMs = waitUntilMs - performance.now();
  const waited = await book.openKeys.wait(attempt.id, met, { waitMs, signal, untilTold });
  // The first request's process tells the others: a hundred duplicates need not say it again.
  if (waited.kind === 'answered')
    return await replay(book, attempt, waited.answer, { claimedAt: createdAt, keep: false });
  if (waited.kind === 'pending') return { kind: 'in_progress', claimedAt: createdAt };
  const stored = await findStoredKey(book.pool, keyOfOrder(attempt));
  return stored === undefined ? { kind: 'busy' } : await meet(book, attempt, stored, waitUntilMs);
}

/** H6. An order's key says no more than that the request is another one: what differs from the order, the order says. */
async function namingMembers(
  { pool, fingerprinter }: OrderBook,
  { id, placement, fingerprint }: Attempt,
  met: Pick<StoredKey, 'operation'>,
  reused: Reused,
): Promise<Reused> {
  if (met.operation !== PLACE_ORDER) return reused;
  const request = await readRequest(pool, placement.tenantId, id);
  if (request === undefined) return reused;
  const { members } = fingerprinter.of(PLACE_ORDER, request, { nameMembers: true });
  return { ...reused, differing: differingMembers(members, fingerprint.members) };
}

async function replay(
  book: OrderBook,
  attempt: Attempt,
  answer: StoredAnswer,
  { claimedAt, keep }: { claimedAt: Date; keep: boolean },
): Promise<Placed> {
  const { id, placement } = attempt;
  const isPast = answer.answer === null || isPastRetention(book.retention, claimedAt, book.now());
  const body = isPast ? JSON.stringify(await readOrder(book.pool, placement.tenantId, id)) : (answer.answer ?? '');
  if (keep && !isPast) book.knownAnswers.keep(keyedOrder(attempt), { id, body, claimedAt });
  return { kind: 'answered', id, body, replayed: true, claimedAt };
}

/** @returns undefined when the key stands for this very request (K2) */
export function reuse(
  stored: Pick<StoredKey, 'operation' | 'fingerprint' | 'members' | 'createdAt'>,
  operation: string,
  sent: Fingerprint,
): Reused | undefined {
  if (isSameRequest(stored, { operation, fingerprint: sent })) return undefined;
  // Members of another operation would say what the key was used for.
  const differing = stored.operation === operation ? differingMembers(stored.members, sent.members) : [];
  return { kind: 'reused', differing, claimedAt: stored.createdAt };
}
