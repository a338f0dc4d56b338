/*
 * Accepting an order: claim its key, start its saga, settle the key's answer. One way for HTTP and gRPC.
 *
 * S1  startOrder's insert is one statement: key, order and saga, or nothing.
 * K1  Every answer is stored before it is sent.
 * K2  Every later request under the key gets the stored answer, or is refused when it differs.
 * K5  A key past its retention shows the order as it is now; nothing runs.
 * K7  A duplicate waits in memory (run-idempotent.ts; for another process, in-flight-keys.ts), and is compared only with a committed row.
 *
 * Crash windows: before the insert commits, nothing has happened. After it, the saga is adopted from this process
 * when it dies, and its terminal checkpoint settles the answer if it is still open.
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
import type { InFlightKey, InFlightKeys } from '../keys/in-flight-keys.ts';
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
import type { OrderAnswerCache } from '../keys/order-answer-cache.ts';
import { type AcceptedOrder, JUST_ACCEPTED, type OrderRequest, viewOrder } from './order.ts';
import { answerOfPayload, type NewOrder, readOrder, readRequest } from './order-store.ts';

export interface OrderDeps {
  pool: Pool;
  /** The engine's starter: admits, inserts in groups, runs. */
  startOrder: (entry: NewOrder) => Promise<StartOutcome<StoredKey | undefined>>;
  engine: Engine;
  fingerprinter: Fingerprinter;
  inFlightKeys: InFlightKeys;
  retention: Retention;
  answerCache: OrderAnswerCache;
  deadlineMs: number;
  /** Whether what happens to orders is told in a stream. */
  publishesEvents: boolean;
  now: () => Date;
}

export interface Placement {
  tenantId: string;
  key: string;
  request: OrderRequest;
  /** The request as it came in; undefined where it did not come as JSON. */
  bytes?: Buffer | undefined;
  /** How long the caller waits for the terminal status; at most MAX_WAIT_MS. */
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
  /** The key is older than any key that is kept. Nothing was done. */
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
/** One statement's time and a margin: a duplicate waits that long for the claim. */
const CLAIM_MS = 1_000;
/** By then no waiting request can settle an open answer any more. */
const ABANDONED_AFTER_MS = MAX_WAIT_MS + 15_000;

interface KeyedPlacement {
  id: string;
  placement: Placement;
  fingerprint: Fingerprint;
}

/** @throws pg errors: the outcome is unknown then; send the same key again */
export async function acceptOrder(deps: OrderDeps, placement: Placement): Promise<Placed> {
  const { tenantId, key, request, waitMs, signal } = placement;
  const fingerprint = deps.fingerprinter.of(PLACE_ORDER, request, { nameMembers: true });
  const keyed: KeyedPlacement = { id: keyId(deps.fingerprinter, tenantId, key), placement, fingerprint };
  const duplicateWaitMs = Math.min(waitMs, MAX_DUPLICATE_WAIT_MS);
  const call = { tenantId, key, operation: PLACE_ORDER, fingerprint, waitMs: duplicateWaitMs, signal };
  return await runIdempotent<Placed>(deps.inFlightKeys.singleFlight, call, {
    claimMs: CLAIM_MS,
    recall: () => recall(deps, keyed),
    attempt: (claimed) => claimOrder(deps, keyed, claimed),
    share,
    reused: (claimedFor) => refuse(deps, keyed, claimedFor),
    inProgress: (claimedFor) => ({ kind: 'in_progress', claimedAt: claimedFor?.createdAt ?? deps.now() }),
    waitUntilSettled: (ms, outcome) => waitUntilSettled(deps, keyed, outcome, ms),
  });
}

/** The caches: an answer, or that the key is in progress in another process. */
async function recall(deps: OrderDeps, keyed: KeyedPlacement): Promise<Placed | undefined> {
  const watched = deps.inFlightKeys.watched(keyed.id);
  if (watched !== undefined) return await handleExisting(deps, keyed, watched);
  const cached = await deps.answerCache.find(keyed.id, cachedOrder(keyed));
  return cached && { kind: 'completed', replayed: true, ...cached };
}

async function claimOrder(
  deps: OrderDeps,
  keyed: KeyedPlacement,
  claimed: (claimedFor: ClaimedRequest) => void,
): Promise<Placed> {
  if (isTooOld(deps.retention, keyed.placement.key, deps.now())) {
    const stored = await findStoredKey(deps.pool, keyOfOrder(keyed));
    return stored === undefined ? { kind: 'key_expired' } : await handleExisting(deps, keyed, stored);
  }
  const { isFirst, stored } = await claimOrFind(deps, keyed);
  if (stored === undefined) return { kind: 'unavailable' };
  if (!isFirst) return await handleExisting(deps, keyed, stored);
  if (stored.status === null) claimed(stored);
  return await answerFirst(deps, keyed, stored);
}

/** The outcome that duplicates share with the request that ran in this process. Without room, each one tries by itself. */
function share(placed: Placed): Placed | undefined {
  if (placed.kind === 'unavailable') return undefined;
  return placed.kind === 'completed' ? { ...placed, replayed: true } : placed;
}

/** The order as the answer cache knows it. */
function cachedOrder({
  placement: { tenantId, key, bytes },
  fingerprint,
}: KeyedPlacement): Parameters<OrderAnswerCache['keep']>[0] {
  return { tenantId, key, bytes, fingerprint };
}

/** Where the key's claim is. */
function keyOfOrder({ id, placement: { tenantId } }: KeyedPlacement): KeyId {
  return { tenantId, id };
}

/** The id of a key's claim, for every operation; of an order's key it is the order's id. */
export function keyId(fingerprinter: Fingerprinter, tenantId: string, key: string): string {
  // @guard H17 the tenant in the unique key: "fingerprinter.idOfKey('order', tenantId, key)" -> "fingerprinter.idOfKey('order', '', key)"
  return fingerprinter.idOfKey('order', tenantId, key);
}

interface Claimed {
  /** The order is ours; its answer is stored, or still open. */
  isFirst: boolean;
  /** Undefined: the key has no claim, and can't have an order now. */
  stored: StoredKey | undefined;
}

async function claimOrFind(deps: OrderDeps, keyed: KeyedPlacement): Promise<Claimed> {
  const { id, placement, fingerprint } = keyed;
  const createdAt = deps.now();
  const order: AcceptedOrder = {
    ...placement.request,
    tenantId: placement.tenantId,
    createdAt: createdAt.toISOString(),
    traceparent: placement.traceparent,
  };
  const answer = placement.waitMs > 0 ? null : justAccepted(id, order);
  // When it throws it may have committed all the same: then the sweep finds the saga and runs it (S1).
  const started = await deps.startOrder({ id, order, fingerprint, answer, deadlineMs: deps.deadlineMs });
  if (started.kind === 'exists') return { isFirst: false, stored: started.existing };
  if (started.kind !== 'begun') return { isFirst: false, stored: await findStoredKey(deps.pool, keyOfOrder(keyed)) };
  const status = answer === null ? null : ORDER_ACCEPTED;
  return { isFirst: true, stored: { ...inFlightKeyOf(keyed, createdAt), resource: null, status, answer } };
}

/** The first request's answer: the stored one, or the order as it is when the caller's time is up. */
async function answerFirst(deps: OrderDeps, keyed: KeyedPlacement, stored: StoredKey): Promise<Placed> {
  const { id } = keyed;
  const { createdAt: claimedAt } = stored;
  const answer = stored.status === null ? await settleWhenEnded(deps, keyed) : stored;
  if (!answer?.answer) return { kind: 'in_progress', claimedAt };
  deps.answerCache.keep(cachedOrder(keyed), { id, body: answer.answer, claimedAt });
  return { kind: 'completed', id, body: answer.answer, replayed: false, claimedAt };
}

function justAccepted(id: string, order: AcceptedOrder): string {
  return JSON.stringify(viewOrder(id, order, JUST_ACCEPTED, order.createdAt));
}

/**
 * Waits for the end, or until the customer has to act; if neither comes in time, the order as it is now becomes the answer. A caller that hung up gets
 * none, so the answer stays open: the terminal checkpoint settles it, and a retry gets the end (H13).
 */
async function settleWhenEnded(deps: OrderDeps, keyed: KeyedPlacement): Promise<StoredAnswer | undefined> {
  const { id, placement } = keyed;
  const end = await deps.engine.waitUntilSettled(id, placement.waitMs, placement.signal);
  // It happened here, and this very answer was stored with it (K1). Else another may stand: read it.
  if ((end.kind === 'ended' || end.kind === 'waiting') && end.snapshot.storedByHook)
    return { status: ORDER_ACCEPTED, answer: answerOfPayload(end.snapshot.storedByHook) };
  const stored = await findStoredKey(deps.pool, keyOfOrder(keyed));
  if (stored?.status) return { status: stored.status, answer: stored.answer };
  if (placement.signal.aborted) return undefined;
  return await settleAsItIs(deps, keyOfOrder(keyed));
}

async function settleAsItIs(deps: OrderDeps, key: KeyId): Promise<StoredAnswer> {
  const view = await readOrder(deps.pool, key.tenantId, key.id);
  return await settleKey(deps.pool, { ...key, operation: PLACE_ORDER }, ORDER_ACCEPTED, JSON.stringify(view));
}

/** The key was claimed before, by this very request or by another one. */
async function handleExisting(
  deps: OrderDeps,
  keyed: KeyedPlacement,
  existing: InFlightKey | StoredKey,
): Promise<Placed> {
  if (!isSameRequest(existing, { operation: PLACE_ORDER, fingerprint: keyed.fingerprint })) {
    return await refuse(deps, keyed, existing);
  }
  const { createdAt: claimedAt } = existing;
  // Found in the database, so the cache does not have it.
  if ('status' in existing && existing.status !== null) {
    return await replay(deps, keyed, { status: existing.status, answer: existing.answer }, { claimedAt, keep: true });
  }
  if (deps.now().getTime() - claimedAt.getTime() > ABANDONED_AFTER_MS) {
    const settled = await settleAsItIs(deps, keyOfOrder(keyed));
    return await replay(deps, keyed, settled, { claimedAt, keep: true });
  }
  return { kind: 'in_progress', claimedAt };
}

/** The first request runs in another process, or its caller has hung up. @returns undefined to look again */
async function waitUntilSettled(
  deps: OrderDeps,
  keyed: KeyedPlacement,
  placed: Placed,
  waitMs: number,
): Promise<Placed | undefined> {
  if (placed.kind !== 'in_progress') return placed;
  const { claimedAt } = placed;
  const { signal } = keyed.placement;
  const { untilPublished: untilStored } = deps.answerCache;
  const order = cachedOrder(keyed);
  const untilPublished = untilStored && ((ms: number) => untilStored(order, ms));
  const waited = await deps.inFlightKeys.wait(keyed.id, inFlightKeyOf(keyed, claimedAt), {
    waitMs,
    signal,
    untilPublished,
  });
  // The first request's process fills the cache: its duplicates need not.
  if (waited.kind === 'completed') return await replay(deps, keyed, waited.answer, { claimedAt, keep: false });
  return waited.kind === 'in_progress' ? placed : undefined;
}

/** The request that this order's key was claimed for. */
function inFlightKeyOf({ placement: { tenantId }, fingerprint }: KeyedPlacement, createdAt: Date): InFlightKey {
  return { tenantId, operation: PLACE_ORDER, fingerprint: fingerprint.digest, members: null, createdAt };
}

async function refuse(deps: OrderDeps, keyed: KeyedPlacement, claimedFor: ClaimedRequest): Promise<Reused> {
  const reused = refusal(claimedFor, PLACE_ORDER, keyed.fingerprint, deps.now());
  return claimedFor.members === null ? await namingMembers(deps, keyed, claimedFor, reused) : reused;
}

/** H6. An order's claim keeps no digests of members, so the stored order names the members that differ. */
async function namingMembers(
  { pool, fingerprinter }: OrderDeps,
  { id, placement, fingerprint }: KeyedPlacement,
  claimedFor: ClaimedRequest,
  reused: Reused,
): Promise<Reused> {
  if (claimedFor.operation !== PLACE_ORDER) return reused;
  const request = await readRequest(pool, placement.tenantId, id);
  if (request === undefined) return reused;
  const { members } = fingerprinter.of(PLACE_ORDER, request, { nameMembers: true });
  return { ...reused, differing: differingMembers(members, fingerprint.members) };
}

async function replay(
  deps: OrderDeps,
  keyed: KeyedPlacement,
  answer: StoredAnswer,
  { claimedAt, keep }: { claimedAt: Date; keep: boolean },
): Promise<Placed> {
  const { id, placement } = keyed;
  const isPast = answer.answer === null || isPastRetention(deps.retention, claimedAt, deps.now());
  const body = isPast ? JSON.stringify(await readOrder(deps.pool, placement.tenantId, id)) : (answer.answer ?? '');
  if (keep && !isPast) deps.answerCache.keep(cachedOrder(keyed), { id, body, claimedAt });
  return { kind: 'completed', id, body, replayed: true, claimedAt };
}

/** The key stands for another request than the one that was sent (K2). */
export function refusal(
  { operation, members, createdAt }: ClaimedRequest,
  sent: string,
  print: Fingerprint,
  now: Date,
): Reused {
  // The members of another operation would reveal what the key was used for.
  const differing = operation === sent ? differingMembers(members, print.members) : [];
  return { kind: 'reused', differing, claimedAt: createdAt ?? now };
}
