/*
 * Adjusting stock or an account under a client's key. The effect is a participant's; the key is claimed here, where the
 * keys of all operations are kept.
 *
 * K1  The key is claimed durably before the call goes out; the call carries a key derived from it; the answer is stored
 *     before it is sent.
 * K2  Same key, same request: the same bytes. Same key, other request or operation: refused, nothing called.
 * K7  A duplicate waits in memory for the call that runs in this process, and shares its answer (run-idempotent.ts).
 * K5  Past its retention the resource is shown as it is; nothing is called.
 *
 * Crash windows: after the claim, or after the effect: the key is open, and the next request under it makes the same call
 * under the same derived key, which the participant runs at most once. A client's own key never reaches a participant:
 * it could be the key of an order's step.
 */
import type { KeyedOperation } from '@holdfast/contracts';
import { type ClaimedRequest, type Fingerprint, isSameRequest, runIdempotent } from '@holdfast/idempotency';
import { isPastRetention, isTooOld } from '../keys/key-retention.ts';
import { claimKey, findStoredKey, type StoredKey, settleKey } from '../keys/key-store.ts';
import { keyId, type OrderDeps, type Reused, refusal } from '../orders/accept-order.ts';

export type AdjustmentDesk = Pick<OrderDeps, 'pool' | 'fingerprinter' | 'retention' | 'now'> & {
  inFlightKeys: Pick<OrderDeps['inFlightKeys'], 'singleFlight'>;
};

export interface Adjustment {
  tenantId: string;
  key: string;
  operation: KeyedOperation;
  /** Path of what is adjusted. */
  resource: string;
  /** Path parameters and body. */
  request: object;
  /** Makes the call under this key: an answer for good, or an exception when nothing is known for good. */
  call: (derivedKey: string) => Promise<{ status: number; body: string; replayed: boolean }>;
  /** The resource as it is now. */
  read: () => Promise<string>;
}

export type Adjusted =
  | { kind: 'completed'; status: number; body: string; replayed: boolean; claimedAt: Date }
  | { kind: 'in_progress'; claimedAt: Date }
  | Reused
  | { kind: 'key_expired' };

/** As long as the call to the participant may take. */
const DUPLICATE_WAIT_MS = 5_000;

interface KeyedAdjustment extends Adjustment {
  id: string;
  fingerprint: Fingerprint;
  claimed: (request: ClaimedRequest) => void;
}

/** @throws what `call`, `read` and the database throw; send the same key again then */
export async function adjustOnce(desk: AdjustmentDesk, adjustment: Adjustment): Promise<Adjusted> {
  const { fingerprinter, now, inFlightKeys } = desk;
  const { tenantId, key, operation, request } = adjustment;
  const id = keyId(fingerprinter, tenantId, key);
  const fingerprint = fingerprinter.of(operation, request, { nameMembers: true });
  const call = { tenantId, key, operation, fingerprint, waitMs: DUPLICATE_WAIT_MS };
  return await runIdempotent<Adjusted>(inFlightKeys.singleFlight, call, {
    attempt: (claimed) => claimAdjustment(desk, { ...adjustment, id, fingerprint, claimed }),
    share: (adjusted) => (adjusted.kind === 'completed' ? { ...adjusted, replayed: true } : adjusted),
    reused: (claimedFor) => refusal(claimedFor, operation, fingerprint, now()),
    inProgress: (claimedFor) => ({ kind: 'in_progress', claimedAt: claimedFor?.createdAt ?? now() }),
    // The duplicate of another process waits at the participant, which runs the derived key once.
    waitUntilSettled: async (_ms, inProgress) => inProgress,
  });
}

async function claimAdjustment(desk: AdjustmentDesk, keyed: KeyedAdjustment): Promise<Adjusted> {
  const { pool, retention, now } = desk;
  const { tenantId, key, operation, resource, id, fingerprint, claimed } = keyed;
  if (isTooOld(retention, key, now())) {
    const known = await findStoredKey(pool, { tenantId, id });
    return known === undefined ? { kind: 'key_expired' } : await handleExisting(desk, keyed, known);
  }
  const createdAt = now();
  const isFirst = await claimKey(pool, { id, tenantId, operation, resource, fingerprint, createdAt });
  if (isFirst) {
    claimed({ operation, fingerprint: fingerprint.digest, members: fingerprint.members, createdAt });
    return await adjust(desk, keyed, createdAt);
  }
  const stored = await findStoredKey(pool, { tenantId, id });
  if (stored === undefined) throw new Error('a key vanished between two statements: is something deleting live keys?');
  return await handleExisting(desk, keyed, stored);
}

/** The key stands for something already. */
async function handleExisting(desk: AdjustmentDesk, keyed: KeyedAdjustment, stored: StoredKey): Promise<Adjusted> {
  const { operation, fingerprint } = keyed;
  if (!isSameRequest(stored, { operation, fingerprint })) return refusal(stored, operation, fingerprint, desk.now());
  const { status, answer, createdAt: claimedAt } = stored;
  if (status === null) {
    keyed.claimed(stored);
    return await adjust(desk, keyed, claimedAt);
  }
  // A refusal is final: its answer is kept as long as the key.
  const isPast = status < 400 && isPastRetention(desk.retention, claimedAt, desk.now());
  const body = isPast || answer === null ? await keyed.read() : answer;
  return { kind: 'completed', status, body, replayed: true, claimedAt };
}

/** At most once, however often it is called: the participant claims the derived key. */
async function adjust(desk: AdjustmentDesk, keyed: KeyedAdjustment, claimedAt: Date): Promise<Adjusted> {
  const { tenantId, operation, id } = keyed;
  const { replayed, ...answer } = await keyed.call(`${id}:adjust`);
  // crash here: the effect is there, its answer is not stored; the next request under the key gets it from the participant.
  const stored = await settleKey(desk.pool, { tenantId, id, operation }, answer.status, answer.body);
  return { kind: 'completed', status: stored.status, body: stored.answer ?? answer.body, replayed, claimedAt };
}
