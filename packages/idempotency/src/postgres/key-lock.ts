/*
 * Whose turn it is to run a key, across all processes, without anybody waiting in the database.
 *
 * K7  A duplicate never blocks on the row of the transaction that runs: it *tries* an advisory lock, is told at once, and
 *     waits (if at all) outside, holding neither a lock nor a connection.
 * H6  Two locks are tried, in this order: one for (key, request), one for the key. When the first is taken, the same
 *     request is running; when only the second is, another request is running under this key. The one that runs has
 *     taken both in this order, so it is never mistaken for another request.
 *
 * K2  The row is looked at by a statement of its own, begun when the locks are held. In one statement with them it would
 *     be looked at as it was before: a run that committed in between would be missed, and run again for nothing, against
 *     the effect's own unique keys.
 *
 * K9  The transaction gets a token when it opens, and the statement that settles the key proves that it is still open (proof.ts).
 *
 * The locks decide nothing that must hold: the primary key of the claims does (K2). A lock that two keys share by a
 * collision of 64-bit hashes makes one of them come back a moment later.
 *
 * Crash window: the locks belong to the transaction, so they go with the process that held them.
 */
import { hash } from 'node:crypto';
import {
  type Ending,
  isUniqueViolation,
  type Known,
  type Pool,
  type Query,
  statement,
  type Transaction,
  transactionAfter,
} from '@holdfast/postgres';
import type { Fingerprint } from '../core/fingerprint.ts';
import { splitKey } from '../core/key.ts';
import { answerInClaimSql, DEFAULT_KEEP_DAYS, keptUntilSql, readAnswers, staysInClaim } from './answers.ts';
import { isProofMissing, leaveProofSql, newProof, provenSql } from './proof.ts';
import { rolledBackOr } from './rolled-back.ts';
import { transactionEnded } from './scoped-transaction.ts';

export interface TurnRequest {
  tenantId: string;
  key: string;
  operation: string;
  fingerprint: Fingerprint;
  /** How long the answer is given again, in whole days. Default 30. */
  keepDays?: number;
}

export type NoTurn =
  | { kind: 'completed' | 'refused'; answer: Buffer; replayed: true }
  | { kind: 'in_progress' }
  | { kind: 'reused'; differing: string[] };

const takeTurn = statement(
  'idempotency.take-turn',
  `select case when not pg_try_advisory_xact_lock($1::bigint) then 'same'
               when not pg_try_advisory_xact_lock($2::bigint) then 'other' else 'ours' end as turn,
          ${leaveProofSql('$3::text')} as proof`,
);

interface TurnRow {
  turn: 'ours' | 'same' | 'other';
}

// The claim's own row alone: its answer is there unless it is a long one, and whose key is new has none to wait for.
const lookAtKey = statement(
  'idempotency.look-at-key',
  `select state, operation, fingerprint, ${answerInClaimSql('claims')} as answer, kept_until::text
     from claims where tenant_id = $1::text and scope = $2::text and name = $3::text`,
);

interface KeyRow {
  state: string;
  operation: string;
  fingerprint: Buffer | null;
  answer: Buffer | null;
  kept_until: string | null;
}

/**
 * Runs `work` in a transaction that has the key's turn, or says why there is none. A key that is settled already is
 * answered here, without a write; everything else about it is for claim() to say, inside `work`.
 *
 * @param work `proof`: there when the key has no row: it may be settled by settleNew() and needs no claim before
 * @throws what the database throws; TransactionEnded
 */
export async function inTurn<T>(
  pool: Pool,
  request: TurnRequest,
  work: (tx: Transaction, proof: string | undefined) => Promise<Ending<T>>,
): Promise<T | NoTurn> {
  const { scope, name } = splitKey(request.key);
  const proof = newProof();
  const keyLock = lockId([request.tenantId, request.key]);
  const requestLock = lockId([request.tenantId, request.key, request.operation], request.fingerprint.digest);
  const opening = {
    first: { ...takeTurn, values: [requestLock, keyLock, proof] },
    look: { ...lookAtKey, values: [request.tenantId, scope, name] },
    // Rolled back rather than committed: nothing was written, and a commit would wait for the disk.
    known: (taken: TurnRow | undefined, [row]: KeyRow[], tx: Query) => noTurn(taken?.turn, row, request, tx),
  };
  const ended = transactionAfter<TurnRow, KeyRow, T | NoTurn>(pool, opening, (tx, found) =>
    work(tx, found.length === 0 ? proof : undefined),
  );
  return await rolledBackOr(ended).catch((error: unknown) => {
    if (isProofMissing(error)) throw transactionEnded(error);
    // Somebody else has the key after all, past the locks: everything is rolled back, and whoever looks again is told.
    if (isUniqueViolation(error, 'claims_pkey')) return { kind: 'in_progress' as const };
    throw error;
  });
}

async function noTurn(
  turn: TurnRow['turn'] | undefined,
  row: KeyRow | undefined,
  request: TurnRequest,
  tx: Query,
): Promise<Known<NoTurn>> {
  if (row === undefined) {
    if (turn === 'ours') return undefined;
    return { result: turn === 'same' ? { kind: 'in_progress' } : { kind: 'reused', differing: [] } };
  }
  const settled = row.state === 'completed' || row.state === 'refused';
  const same = row.operation === request.operation && row.fingerprint?.equals(request.fingerprint.digest) === true;
  // Settled otherwise: claim() says what it is, naming the members that differ. It has nothing to wait for.
  if (!settled || !same) return undefined;
  const answer = row.answer ?? (await longAnswer(tx, request, row));
  return answer && { result: { kind: row.state as 'completed' | 'refused', answer, replayed: true } };
}

/** One that is too long for its claim's row; undefined when it is past its last day. */
async function longAnswer(tx: Query, { tenantId, key }: TurnRequest, row: KeyRow): Promise<Buffer | undefined> {
  if (row.kept_until === null) return undefined;
  const [answer] = await readAnswers(tx, [{ tenantId, key, keptUntil: row.kept_until }]);
  return answer;
}

const CLAIM_COLUMNS = `tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, members, answer,
                         kept_until, settled_at`;
const claimValues = (answer: string) => `$1::text, $2::text, $3::text, $4::text,
            ${provenSql('$5::text', '$11::text')}, $6::bytea, $7::smallint,
            $8::jsonb, ${answer}, case when $5::text = 'completed' then ${keptUntilSql('$10::int')} end, clock_timestamp()`;

// A refusal, and what is short: it costs no second row (answers.ts).
const insertSettled = statement(
  'idempotency.settle-new',
  `insert into claims (${CLAIM_COLUMNS}) values (${claimValues('$9::bytea')})`,
);

// What is long goes to its last day's partition.
const insertSettledLong = statement(
  'idempotency.settle-new-long',
  `with settled as (
     insert into claims (${CLAIM_COLUMNS}) values (${claimValues('null')}) returning kept_until
   )
   insert into answers (tenant_id, scope, name, kept_until, answer)
   select $1::text, $2::text, $3::text, kept_until, $9::bytea from settled`,
);

/**
 * Claim and answer in one statement, the last one of the effect's transaction: nobody could have seen the claim before. The
 * primary key still decides (K2): the statement fails when somebody else has the key after all. It fails too in any other
 * transaction than the one that `proof` was left with (K9).
 */
export function settleNew(
  request: TurnRequest,
  state: 'completed' | 'refused',
  answer: Buffer,
  proof: string,
): NonNullable<Ending<never>['last']> {
  const { scope, name } = splitKey(request.key);
  const { digest, version, members } = request.fingerprint;
  const print = [digest, version, members && JSON.stringify(members)];
  const keepDays = request.keepDays ?? DEFAULT_KEEP_DAYS;
  return {
    ...(staysInClaim(state, answer) ? insertSettled : insertSettledLong),
    values: [request.tenantId, scope, name, request.operation, state, ...print, answer, keepDays, proof],
  };
}

/** A signed 64-bit number, as text: what Postgres names an advisory lock by. */
function lockId(parts: string[], digest: Buffer = NO_BYTES): string {
  const text = parts.map((part) => `\0${part.length}\0${part}`).join('');
  const named = digest === NO_BYTES ? text : `${text}\0${digest.length}\0`;
  const bytes = Buffer.concat([Buffer.from(`holdfast turn${named}`), digest]);
  return hash('sha256', bytes, 'buffer').readBigInt64BE().toString();
}

const NO_BYTES = Buffer.alloc(0);
