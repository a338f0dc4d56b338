/*
 * Adjusting stock or an account under a client's key. The effect is a participant's; the key is claimed here, where the
 * keys of all operations meet.
 *
 * K1  The key is claimed durably before the call goes out; the call carries a key derived from it; the answer is stored
 *     before anyone hears it.
 * K2  Same key, same request: the same bytes. Same key, other request or operation: refused, nothing called.
 * K5  Past its retention the resource is shown as it is; nothing is called.
 *
 * Crash windows: after the claim, or after the effect: the key is open, and the next request under it makes the same call
 * under the same derived key, which the participant runs at most once. A client's own key never reaches a participant:
 * it could be the key of an order's step.
 */
import type { KeyedOperation } from '@holdfast/contracts';
import { type Fingerprint, type Fingerprinter, isSameRequest } from '@holdfast/idempotency';
import type { Pool } from '@holdfast/postgres';
import { isPastRetention, isTooOld, type Retention } from '../keys/key-retention.ts';
import { claimKey, findStoredKey, type StoredKey, settleKey } from '../keys/key-store.ts';
import { keyId, type Reused, refusal } from '../orders/accept-order.ts';

export interface AdjustmentDesk {
  pool: Pool;
  fingerprinter: Fingerprinter;
  retention: Retention;
  now: () => Date;
}

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
  | Reused
  | { kind: 'key_expired' };

/** @throws what `call`, `read` and the database throw; the same key will tell what came of it */
export async function adjustOnce(desk: AdjustmentDesk, adjustment: Adjustment): Promise<Adjusted> {
  const { pool, fingerprinter, retention, now } = desk;
  const { tenantId, key, operation, resource, request } = adjustment;
  const id = keyId(fingerprinter, tenantId, key);
  const fingerprint = fingerprinter.of(operation, request, { nameMembers: true });
  if (isTooOld(retention, key, now())) {
    const known = await findStoredKey(pool, { tenantId, id });
    return known === undefined
      ? { kind: 'key_expired' }
      : await handleExisting(desk, adjustment, id, fingerprint, known);
  }
  const claimedAt = now();
  const isFirst = await claimKey(pool, { id, tenantId, operation, resource, fingerprint, createdAt: claimedAt });
  if (isFirst) return await adjust(desk, adjustment, id, claimedAt);
  const stored = await findStoredKey(pool, { tenantId, id });
  if (stored === undefined) throw new Error('a key vanished between two statements: is something deleting live keys?');
  return await handleExisting(desk, adjustment, id, fingerprint, stored);
}

/** The key stands for something already. */
async function handleExisting(
  desk: AdjustmentDesk,
  adjustment: Adjustment,
  id: string,
  fingerprint: Fingerprint,
  stored: StoredKey,
): Promise<Adjusted> {
  const { operation } = adjustment;
  if (!isSameRequest(stored, { operation, fingerprint })) return refusal(stored, operation, fingerprint, desk.now());
  const { status, answer, createdAt: claimedAt } = stored;
  if (status === null) return await adjust(desk, adjustment, id, claimedAt);
  // A refusal is final: its answer is kept as long as the key.
  const isPast = status < 400 && isPastRetention(desk.retention, claimedAt, desk.now());
  const body = isPast || answer === null ? await adjustment.read() : answer;
  return { kind: 'completed', status, body, replayed: true, claimedAt };
}

/** At most once, however often it is called: the participant claims the derived key. */
async function adjust(desk: AdjustmentDesk, adjustment: Adjustment, id: string, claimedAt: Date): Promise<Adjusted> {
  const { replayed, ...answer } = await adjustment.call(`${id}:adjust`);
  // crash here: the effect is there, its answer is not stored; the next request under the key gets it from the participant.
  const { tenantId, operation } = adjustment;
  const stored = await settleKey(desk.pool, { tenantId, id, operation }, answer.status, answer.body);
  return { kind: 'completed', status: stored.status, body: stored.answer ?? answer.body, replayed, claimedAt };
}
