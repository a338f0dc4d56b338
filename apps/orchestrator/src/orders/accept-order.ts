/*
 * Accepting an order: claim its key, start its saga, and settle what the key is answered. One way for HTTP and gRPC.
 *
 * S1  startOrder's insert is one statement: key, order and saga, or nothing.
 * K1  Nobody hears an answer that is not stored.
 * K2  Every later request under the key gets the stored answer, or is refused when it asks for something else.
 * K5  A key past its retention shows the order as it is now; nothing runs.
 * K7  A duplicate waits in memory (run-idempotent.ts; for another process, open-keys.ts), and is compared only with what a committed
 *     row says.
 *
 * Crash windows: before the insert commits, nothing has happened. After it, the saga is adopted from this process
 * when it dies, and its terminal checkpoint settles the answer if nobody has before.
 */
import {
  type ClaimedRequest,
  differingMembers,
  type Fingerprint,
  type Fingerprinter,
  isSameRequest,
  runIdempotent,
} from '@holdfast/idempotency';
import type { Pool } from '@holdfast/postgres';
import type { Engine, StartOutcome } from '@holdfast/saga';
import { isPastRetention, isTooOld, type Retention } from '../keys/key-retention.ts';
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
  | { kind: 'completed'; id: string; body: string; replayed: boolean; claimedAt: Date }
  /** The first request under this key is still waiting for its answer. */
  | { kind: 'in_progress'; claimedAt: Date }
  | Reused
  /** Too many orders are under way, or this process has lost its lease. Nothing was done. */
  | { kind: 'unavailable' }
  /** The key says that it is older than anything that is remembered. Nothing was done. */
  | { kind: 'key_expired' };

/** The key stands for another request. `differing`: names of top-level members; none where the operation differs. */
export interface Reused {
  kind: 'reused';
  differing: string[];
  claimedAt: Date;
}

/** The longest that a first caller waits for its order to end. */
export const MAX_WAIT_MS = 30_000;
const MAX_DUPLICATE_WAIT_MS = 5_000;
/** One statement's time, and some: a duplicate that comes while the key is being claimed waits for that. */
const CLAIM_MS = 1_000;
/** Nobody who could still settle an open answer is waiting any more. */
const ABANDONED_AFTER_MS = MAX_WAIT_MS + 15_000;

interface Attempt {
  id: string;
  placement: Placement;
  fingerprint: Fingerprint;
}

/** @throws pg errors: the outcome is unknown then, and the same key will tell */
export async function acceptOrder(book: OrderBook, placement: Placement): Promise<Placed> {
  const { tenantId, key, request, waitMs, signal } = placement;
  const fingerprint = book.fingerprinter.of(PLACE_ORDER, request, { nameMembers: true });
  const attempt: Attempt = { id: keyId(book.fingerprinter, tenantId, key), placement, fingerprint };
  const duplicateWaitMs = Math.min(waitMs, MAX_DUPLICATE_WAIT_MS);
  const call = { tenantId, key, operation: PLACE_ORDER, fingerprint, waitMs: duplicateWaitMs, signal };
  return await runIdempotent<Placed>(book.openKeys.singleFlight, call, {
    claimMs: CLAIM_MS,
    recall: () => recall(book, attempt),
    attempt: (claimed) => claimOrder(book, attempt, claimed),
    share,
    reused: (stands) => refuse(book, attempt, stands),
    inProgress: (stands) => ({ kind: 'in_progress', claimedAt: stands?.createdAt ?? book.now() }),
    waitUntilSettled: (ms, outcome) => waitUntilSettled(book, attempt, outcome, ms),
  });
}

/** What is known ahead of the database: an answer, or that the key is in progress in another process. */
async function recall(book: OrderBook, attempt: Attempt): Promise<Placed | undefined> {
  const watched = book.openKeys.watched(attempt.id);
  if (watched !== undefined) return await handleExisting(book, attempt, watched);
  const told = await book.knownAnswers.find(attempt.id, keyedOrder(attempt));
  return told && { kind: 'completed', replayed: true, ...told };
}

async function claimOrder(
  book: OrderBook,
  attempt: Attempt,
  claimed: (stands: ClaimedRequest) => void,
): Promise<Placed> {
  if (isTooOld(book.retention, attempt.placement.key, book.now())) {
    const stored = await findStoredKey(book.pool, keyOfOrder(attempt));
    return stored === undefined ? { kind: 'key_expired' } : await handleExisting(book, attempt, stored);
  }
  const { isFirst, stored } = await claimOrFind(book, attempt);
  if (stored === undefined) return { kind: 'unavailable' };
  if (!isFirst) return await handleExisting(book, attempt, stored);
  if (stored.status === null) claimed(stored);
  return await answerFirst(book, attempt, stored);
}

/** What duplicates get of the request that ran in this process. Where it was refused for want of room, each asks by itself. */
function share(placed: Placed): Placed | undefined {
  if (placed.kind === 'unavailable') return undefined;
  return placed.kind === 'completed' ? { ...placed, replayed: true } : placed;
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
  // @guard H17 the tenant in the unique key: "fingerprinter.idOfKey('order', tenantId, key)" -> "fingerprinter.idOfKey('order', '', key)"
  return fingerprinter.idOfKey('order', tenantId, key);
}

interface Claimed {
  /** The order is ours; its answer is stored, or still open. */
  isFirst: boolean;
  /** Undefined: the key stands for nothing, and can't have an order now. */
  stored: StoredKey | undefined;
}

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
  if (started.kind === 'exists') return { isFirst: false, stored: started.existing };
  if (started.kind !== 'begun') return { isFirst: false, stored: await findStoredKey(book.pool, keyOfOrder(attempt)) };
  const status = answer === null ? null : ORDER_ACCEPTED;
  return { isFirst: true, stored: { ...openKeyOf(attempt, createdAt), resource: null, status, answer } };
}

/** The first request's answer: the stored one, or what the order has come to when the caller has waited enough. */
async function answerFirst(book: OrderBook, attempt: Attempt, stored: StoredKey): Promise<Placed> {
  const { id } = attempt;
  const { createdAt: claimedAt } = stored;
  const answer = stored.status === null ? await settleWhenEnded(book, attempt) : stored;
  if (!answer?.answer) return { kind: 'in_progress', claimedAt };
  book.knownAnswers.keep(keyedOrder(attempt), { id, body: answer.answer, claimedAt });
  return { kind: 'completed', id, body: answer.answer, replayed: false, claimedAt };
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
  if (end.kind === 'ended' && end.snapshot.storedByHook)
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
async function handleExisting(book: OrderBook, attempt: Attempt, existing: OpenKey | StoredKey): Promise<Placed> {
  if (!isSameRequest(existing, { operation: PLACE_ORDER, fingerprint: attempt.fingerprint })) {
    return await refuse(book, attempt, existing);
  }
  const { createdAt: claimedAt } = existing;
  // Found in the database: whoever was to remember it does not, or has forgotten.
  if ('status' in existing && existing.status !== null) {
    return await replay(book, attempt, { status: existing.status, answer: existing.answer }, { claimedAt, keep: true });
  }
  if (book.now().getTime() - claimedAt.getTime() > ABANDONED_AFTER_MS) {
    const settled = await settleAsItIs(book, keyOfOrder(attempt));
    return await replay(book, attempt, settled, { claimedAt, keep: true });
  }
  return { kind: 'in_progress', claimedAt };
}

/** The first request runs in another process, or its caller has hung up. @returns undefined to look again */
async function waitUntilSettled(
  book: OrderBook,
  attempt: Attempt,
  placed: Placed,
  waitMs: number,
): Promise<Placed | undefined> {
  if (placed.kind !== 'in_progress') return placed;
  const { claimedAt } = placed;
  const { signal } = attempt.placement;
  const { untilTold: told } = book.knownAnswers;
  const keyed = keyedOrder(attempt);
  const untilTold = told && ((ms: number) => told(keyed, ms));
  const waited = await book.openKeys.wait(attempt.id, openKeyOf(attempt, claimedAt), { waitMs, signal, untilTold });
  // The first request's process tells the others: a hundred duplicates need not say it again.
  if (waited.kind === 'completed') return await replay(book, attempt, waited.answer, { claimedAt, keep: false });
  return waited.kind === 'in_progress' ? placed : undefined;
}

/** What the key of this very order stands for. */
function openKeyOf({ placement: { tenantId }, fingerprint }: Attempt, createdAt: Date): OpenKey {
  return { tenantId, operation: PLACE_ORDER, fingerprint: fingerprint.digest, members: null, createdAt };
}

async function refuse(book: OrderBook, attempt: Attempt, stands: ClaimedRequest): Promise<Reused> {
  const reused = refusal(stands, PLACE_ORDER, attempt.fingerprint, book.now());
  return stands.members === null ? await namingMembers(book, attempt, stands, reused) : reused;
}

/** H6. An order's key says no more than that the request is another one: what differs from the order, the order says. */
async function namingMembers(
  { pool, fingerprinter }: OrderBook,
  { id, placement, fingerprint }: Attempt,
  stands: ClaimedRequest,
  reused: Reused,
): Promise<Reused> {
  if (stands.operation !== PLACE_ORDER) return reused;
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
  return { kind: 'completed', id, body, replayed: true, claimedAt };
}

/** The key stands for another request than the one that was sent (K2). */
export function refusal(
  { operation, members, createdAt }: ClaimedRequest,
  sent: string,
  print: Fingerprint,
  now: Date,
): Reused {
  // Members of another operation would say what the key was used for.
  const differing = operation === sent ? differingMembers(members, print.members) : [];
  return { kind: 'reused', differing, claimedAt: createdAt ?? now };
}
