/*
 * The key lock: one process at a time runs a key, and no call waits in the database for it.
 *
 * K7  A duplicate never blocks on the row of the transaction that runs: it *tries* an advisory lock, knows at once, and waits
 *     (if at all) outside, with neither a lock nor a connection.
 * H6  Two locks are tried, in this order: one for (key, request), one for the key. When the first is taken, the same
 *     request is running; when only the second is, another request is running under this key. The one that runs has
 *     taken both in this order, so it is never mistaken for another request.
 *
 * K2  The row is looked at by a statement of its own, begun after the locks are taken. In one statement with them it would
 *     be looked at as it was before: a run that committed in between would be missed, and run again for nothing, against
 *     the effect's own unique keys.
 *
 * K9  The transaction gets a token when it opens, and the statement that settles the key proves that it is still open (proof.ts).
 *
 * The locks decide nothing that must hold: the primary key of the claims does (K2). A lock that two keys share by a
 * collision of 64-bit hashes makes one of them come back a moment later.
 *
 * Crash window: the locks belong to the transaction, so they go with the process that took them.
 */
import { hash } from 'node:crypto';
import {
  type Ending,
  type Known,
  type Pool,
  type Query,
  schemaOf,
  statement,
  type Transaction,
  transactionAfter,
} from '@holdfast/postgres';
import type { Fingerprint } from '../core/fingerprint.ts';
import { isSameRequest } from '../core/same-request.ts';
import { readAnswers } from './claims/answers.ts';
import { ClaimedMeanwhile, insertFault } from './claims/claims.ts';
import { type FoundClaim, readClaimsQuery } from './claims/read-claims.ts';
import { leaveProofSql, newProof } from './scope/proof.ts';
import { rolledBackOr } from './scope/rolled-back.ts';

export interface KeyedRequest {
  tenantId: string;
  key: string;
  operation: string;
  fingerprint: Fingerprint;
  /** How long the answer is given again, in whole days. Default 30. */
  keepDays?: number;
}

export type NotLocked =
  | { kind: 'completed' | 'refused'; answer: Buffer; replayed: true }
  | { kind: 'in_progress' }
  | { kind: 'reused'; differing: string[] };

const tryKeyLock = statement(
  'idempotency.lock-key',
  `select case when not pg_try_advisory_xact_lock($1::bigint) then 'same'
               when not pg_try_advisory_xact_lock($2::bigint) then 'other' else 'ours' end as holder,
          ${leaveProofSql('$3::text')} as proof`,
);

interface LockRow {
  holder: 'ours' | 'same' | 'other';
}

/**
 * Runs `work` in a transaction that has the key lock, or says why it can't. A key that is settled already is answered here,
 * without a write; claimKeys() decides everything else, inside `work`.
 *
 * @param work `proof`: there when the key has no row: it may be claimed and settled by the last statement, and needs no look before
 * @throws what the database throws; TransactionEnded
 */
export async function withKeyLock<T>(
  pool: Pool,
  request: KeyedRequest,
  work: (tx: Transaction, proof: string | undefined) => Promise<Ending<T>>,
): Promise<T | NotLocked> {
  const proof = newProof();
  const { requestLock, keyLock } = lockIds(request, schemaOf(pool));
  const opening = {
    first: { ...tryKeyLock, values: [requestLock, keyLock, proof] },
    look: readClaimsQuery([request]),
    // Rolled back rather than committed: nothing was written, and a commit would wait for the disk.
    known: (taken: LockRow | undefined, [row]: FoundClaim[], tx: Query) => notLocked(taken?.holder, row, request, tx),
  };
  const ended = transactionAfter<LockRow, FoundClaim, T | NotLocked>(pool, opening, (tx, found) =>
    work(tx, found.length === 0 ? proof : undefined),
  );
  return await rolledBackOr(ended).catch((error: unknown) => {
    const fault = insertFault(error);
    // Another call claimed the key without this lock (an undo's seal): everything is rolled back, and the next look finds its row.
    if (fault instanceof ClaimedMeanwhile) return { kind: 'in_progress' as const };
    throw fault;
  });
}

async function notLocked(
  holder: LockRow['holder'] | undefined,
  row: FoundClaim | undefined,
  request: KeyedRequest,
  tx: Query,
): Promise<Known<NotLocked>> {
  if (row === undefined) {
    if (holder === 'ours') return undefined;
    return { result: holder === 'same' ? { kind: 'in_progress' } : { kind: 'reused', differing: [] } };
  }
  // Anything else is for claimKeys(), which names the members that differ. It has nothing to wait for.
  if ((row.state !== 'completed' && row.state !== 'refused') || !isSameRequest(row, request)) return undefined;
  const answer = row.answer ?? (await longAnswer(tx, request, row));
  return answer && { result: { kind: row.state, answer, replayed: true } };
}

/** One that is too long for its claim's row; undefined when it is past its last day. */
async function longAnswer(tx: Query, { tenantId, key }: KeyedRequest, row: FoundClaim): Promise<Buffer | undefined> {
  if (row.keptUntil === null) return undefined;
  const [answer] = await readAnswers(tx, [{ tenantId, key, keptUntil: row.keptUntil }]);
  return answer;
}

/** What the locks of a call are named by (H6). Keys of two schemas are not each other's. */
export function lockIds(
  { tenantId, key, operation, fingerprint }: KeyedRequest,
  schema: string,
): { requestLock: string; keyLock: string } {
  return {
    requestLock: lockId(schema, [tenantId, key, operation], fingerprint.digest),
    keyLock: lockId(schema, [tenantId, key]),
  };
}

/** A signed 64-bit number, as text: what Postgres names an advisory lock by. */
function lockId(schema: string, parts: string[], digest: Buffer = NO_BYTES): string {
  const text = parts.map((part) => `\0${part.length}\0${part}`).join('');
  const named = digest === NO_BYTES ? text : `${text}\0${digest.length}\0`;
  const bytes = Buffer.concat([Buffer.from(`${schema} key${named}`), digest]);
  return hash('sha256', bytes, 'buffer').readBigInt64BE().toString();
}

const NO_BYTES = Buffer.alloc(0);
