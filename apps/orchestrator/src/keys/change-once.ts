/*
 * Every change but an order's, under a client's key: setting and adjusting stock and accounts, cancelling, dispatching, the
 * verbs of operators. The effect is a participant's or a saga's; the key is claimed here, where the keys of all operations are
 * kept.
 *
 * K1  The key is claimed durably before the call goes out; the call carries a key derived from it; the answer is stored
 *     before it is sent.
 * K2  Same key, same request: the same bytes. Same key, other request or operation: refused, nothing called.
 * K7  A duplicate waits in memory for the call that runs in this process, and shares its answer (run-idempotent.ts).
 * K5  Past its retention the resource is shown as it is; nothing is called.
 * K8  A retry is replayed, whatever has happened in between: nothing is called that would undo it.
 * T4  Who asks is written with the claim, and what came of it with the answer. A change that is refused by what it is of is
 *     entered as well; a request that is refused before its key is claimed is not.
 *
 * Crash windows: after the claim, or after the effect: the key is open, and the next request under it makes the same call
 * under the same derived key, which the participant runs at most once. What is no participant's finds out by itself whether it
 * has been done (`claimedAt`). A client's own key never reaches a participant: it could be the key of an order's step.
 */
import { type ClaimedRequest, type Fingerprint, isSameRequest, runIdempotent } from '@holdfast/idempotency';
import {
  type AuditEntry,
  type AuditedOperation,
  type AuditOutcome,
  type ChangeEffect,
  type ChangeOrigin,
  VERB_OF,
} from '../audit/audit-entry.ts';
import { keyId, type OrderDeps, type Reused, refusal } from '../orders/accept-order.ts';
import { isPastRetention, isTooOld } from './key-retention.ts';
import { claimKey, findStoredKey, type StoredKey, settleChangeKey } from './key-store.ts';

/** What the audit log says of a change before it is made. */
export interface AskedChange {
  operation: AuditedOperation;
  /** Path of what is changed. */
  resource: string;
  origin: ChangeOrigin;
  /** What is to be set, added or given back: neither names nor addresses nor payment methods. */
  asked: object;
}

export function entryOf({ operation, resource, origin, asked }: AskedChange): AuditEntry {
  return { ...origin, verb: VERB_OF[operation], target: resource, asked };
}

export type ChangeDesk = Pick<OrderDeps, 'pool' | 'fingerprinter' | 'retention' | 'now'> & {
  inFlightKeys: Pick<OrderDeps['inFlightKeys'], 'singleFlight'>;
};

export interface Change extends AskedChange {
  tenantId: string;
  key: string;
  /** Path parameters and body. */
  request: object;
  /** Makes the call: an answer, or an exception when nothing is known for good. */
  call: (attempt: ChangeAttempt) => Promise<ChangeAnswer>;
  /** The resource as it is now. */
  read: () => Promise<string>;
}

export interface ChangeAttempt {
  /** Derived from the client's key, the same at every attempt. */
  key: string;
  /** When the key was claimed. */
  claimedAt: Date;
  /** False: an earlier attempt may have done it. */
  isFirst: boolean;
}

export interface ChangeAnswer {
  status: number;
  body: string;
  replayed: boolean;
  /** Not decided yet: it is not stored, and a retry asks again. */
  isOpen?: boolean;
  /** Of a refusal: the problem's code. */
  code?: string;
  /** For the audit log. */
  effect?: ChangeEffect;
}

export function outcomeOf({ code, effect }: ChangeAnswer): AuditOutcome {
  return code === undefined ? { kind: 'done', ...effect } : { kind: 'refused', code };
}

export type Changed =
  | { kind: 'completed'; status: number; body: string; replayed: boolean; claimedAt: Date }
  | { kind: 'in_progress'; claimedAt: Date }
  | Reused
  | { kind: 'key_expired' };

/** As long as the call to the participant may take. */
const DUPLICATE_WAIT_MS = 5_000;

interface KeyedChange extends Change {
  id: string;
  fingerprint: Fingerprint;
  claimed: (request: ClaimedRequest) => void;
}

/** @throws what `call`, `read` and the database throw; send the same key again then */
export async function changeOnce(desk: ChangeDesk, wanted: Change): Promise<Changed> {
  const { fingerprinter, now, inFlightKeys } = desk;
  const { tenantId, key, operation, request } = wanted;
  const id = keyId(fingerprinter, tenantId, key);
  const fingerprint = fingerprinter.of(operation, request, { nameMembers: true });
  const call = { tenantId, key, operation, fingerprint, waitMs: DUPLICATE_WAIT_MS };
  return await runIdempotent<Changed>(inFlightKeys.singleFlight, call, {
    attempt: (claimed) => claimChange(desk, { ...wanted, id, fingerprint, claimed }),
    share: (changed) => (changed.kind === 'completed' ? { ...changed, replayed: true } : changed),
    reused: (claimedFor) => refusal(claimedFor, operation, fingerprint, now()),
    inProgress: (claimedFor) => ({ kind: 'in_progress', claimedAt: claimedFor?.createdAt ?? now() }),
    // The duplicate of another process waits at the participant, which runs the derived key once.
    waitUntilSettled: async (_ms, inProgress) => inProgress,
  });
}

async function claimChange(desk: ChangeDesk, keyed: KeyedChange): Promise<Changed> {
  const { pool, retention, now } = desk;
  const { tenantId, key, operation, resource, id, fingerprint, claimed } = keyed;
  if (isTooOld(retention, key, now())) {
    const known = await findStoredKey(pool, { tenantId, id });
    return known === undefined ? { kind: 'key_expired' } : await handleExisting(desk, keyed, known);
  }
  const createdAt = now();
  const entry = entryOf(keyed);
  const isFirst = await claimKey(pool, { id, tenantId, operation, resource, fingerprint, createdAt, entry });
  if (isFirst) {
    claimed({ operation, fingerprint: fingerprint.digest, members: fingerprint.members, createdAt });
    return await change(desk, keyed, createdAt, true);
  }
  const stored = await findStoredKey(pool, { tenantId, id });
  if (stored === undefined) throw new Error('a key vanished between two statements: is something deleting live keys?');
  return await handleExisting(desk, keyed, stored);
}

/** The key stands for something already. */
async function handleExisting(desk: ChangeDesk, keyed: KeyedChange, stored: StoredKey): Promise<Changed> {
  const { operation, fingerprint } = keyed;
  if (!isSameRequest(stored, { operation, fingerprint })) return refusal(stored, operation, fingerprint, desk.now());
  const { status, answer, createdAt: claimedAt } = stored;
  if (status === null) {
    keyed.claimed(stored);
    return await change(desk, keyed, claimedAt, false);
  }
  // A refusal is final: its answer is kept as long as the key.
  const isPast = status < 400 && isPastRetention(desk.retention, claimedAt, desk.now());
  const body = isPast || answer === null ? await keyed.read() : answer;
  return { kind: 'completed', status, body, replayed: true, claimedAt };
}

/** At most once, however often it is called: the participant claims the derived key. */
async function change(desk: ChangeDesk, keyed: KeyedChange, claimedAt: Date, isFirst: boolean): Promise<Changed> {
  const { tenantId, operation, id } = keyed;
  const answer = await keyed.call({ key: `${id}:change`, claimedAt, isFirst });
  const { status, body, replayed, isOpen } = answer;
  if (isOpen) return { kind: 'completed', status, body, replayed: false, claimedAt };
  // crash here: the effect is there, its answer is not stored; the next request under the key gets it from the participant.
  const settled = { status, body, claimedAt, outcome: outcomeOf(answer) };
  const stored = await settleChangeKey(desk.pool, { tenantId, id, operation }, settled);
  return { kind: 'completed', status: stored.status, body: stored.answer ?? body, replayed, claimedAt };
}
