/*
 * The claim: why a retry is safe.
 *
 * K1  claim(), the effect and complete()/refuse() run in ONE transaction handed in by the caller. Where the effect is
 *     outside the database, the claim commits first (with a lease), the call goes out under a key derived from ours,
 *     and complete() commits before anyone hears the answer.
 * K2  The primary key admits one row per key. A second request meets the row: same fingerprint, the stored bytes
 *     come back; another fingerprint, `reused`, and the row stays as it is.
 * K3  seal() records that the act shall never run. claim() of a sealed key is `sealed`, complete() of one is refused.
 * K4  claim() raises the order's fence in the same statement that inserts the row. A lower epoch than the fence
 *     inserts nothing. The fence's row is locked until the transaction ends, so act and undo of an order can't interleave.
 *
 * K9  A claim without a lease is settled in its own transaction, which the settling statement proves (proof.ts). So a claim that is
 *     in flight and has no lease is what code left behind that ended the transaction it was lent: its effect may be there, and
 *     the key never runs again by itself. An operator looks, and deletes the claim, or leaves it.
 *
 * Crash windows: before the commit nothing has happened. After it, everything has, and the stored answer says so.
 * Between an outside effect's claim and its completion the row is `in_progress` with a lease: when the lease has run
 * out, the next attempt resumes it (attempt + 1) and asks the provider; the slow first attempt can write nothing any more.
 */
import { type Query, statement } from '@holdfast/postgres';
import type { Fingerprint } from '../core/fingerprint.ts';
import { splitKey } from '../core/key.ts';
import { answerInClaimSql, DEFAULT_KEEP_DAYS, keptUntilSql, readAnswers, staysInClaimSql } from './answers.ts';
import { isProofMissing, isProvenSql, leaveProofSql, newProof, provenSql } from './proof.ts';
import { transactionEnded } from './scoped-transaction.ts';

export interface ClaimRequest {
  tenantId: string;
  key: string;
  operation: string;
  fingerprint: Fingerprint;
  /** The order and the caller's epoch for it. Without them the call is not fenced (it belongs to no saga). */
  fence?: { orderId: string; epoch: number };
  /** Only for effects outside the database: how long this attempt keeps others from trying. */
  leaseMs?: number;
  /** How many days the answer is given again; default DEFAULT_KEEP_DAYS. */
  keepDays?: number;
}

/** The right to run, once; handed to complete, refuse and release. */
export interface Claim {
  tenantId: string;
  key: string;
  attempt: number;
  /** As in the request. */
  keepDays?: number;
  /** Of the transaction that took it, where it must be settled in that one. */
  proof?: string;
}

export type ClaimOutcome =
  /** Nobody has run this: run it now. */
  | { kind: 'claimed'; claim: Claim }
  /** An earlier attempt at an outside effect ended without an answer: ask the provider before anything else. */
  | { kind: 'resumed'; claim: Claim }
  | { kind: 'completed'; answer: Buffer }
  | { kind: 'refused'; answer: Buffer }
  /** It was executed, and its answer is past its last day. It must not run again; the effect tells what is now. */
  | { kind: 'expired' }
  | { kind: 'sealed' }
  | { kind: 'in_progress'; remainingMs: number }
  | { kind: 'fenced' }
  /** An earlier attempt ended the transaction that it was lent, and its effect may be there (K9). */
  | { kind: 'ended' }
  /** `differing`: names of top-level members, where they are known. */
  | { kind: 'reused'; differing: string[] };

const insertClaim = statement(
  'idempotency.claim',
  `with fence as (
     insert into fences as f (tenant_id, order_id, epoch)
     select $1::text, $9::text, $10::bigint where $9::text is not null
     on conflict (tenant_id, order_id) do update set epoch = excluded.epoch where f.epoch <= excluded.epoch
     returning true
   ), claimed as (
     insert into claims (tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, members, lease_until)
     select $1::text, $2::text, $3::text, $4::text, 'in_progress', $5::bytea, $6::smallint, $7::jsonb,
            clock_timestamp() + $8::int * interval '1 millisecond'
      where $9::text is null or exists (select from fence)
     on conflict (tenant_id, scope, name) do nothing
     returning true
   )
   select ($9::text is not null and not exists (select from fence)) as fenced,
          exists (select from claimed) as claimed, ${leaveProofSql('$11::text')} as proof`,
);

interface ClaimRow {
  operation: string;
  state: 'in_progress' | 'completed' | 'refused' | 'sealed';
  fingerprint: Buffer | null;
  members: Record<string, string> | null;
  attempt: number;
  remaining_ms: number;
  leased: boolean;
  answer: Buffer | null;
  kept_until: string | null;
}

const lockClaim = statement(
  'idempotency.lock-claim',
  `select operation, state, fingerprint, members, attempt, ${answerInClaimSql('claims')} as answer, kept_until::text,
          coalesce(ceil(extract(epoch from lease_until - clock_timestamp()) * 1000), 0)::int as remaining_ms,
          lease_until is not null as leased
     from claims where tenant_id = $1::text and scope = $2::text and name = $3::text
      for update`,
);

const takeOver = statement(
  'idempotency.take-over',
  `update claims set attempt = attempt + 1, lease_until = clock_timestamp() + $4::int * interval '1 millisecond'
    where tenant_id = $1::text and scope = $2::text and name = $3::text
    returning attempt`,
);

/**
 * Takes the key, or says what it stands for. Must run in the transaction that will carry the effect. On `reused` and
 * `fenced` the caller rolls the transaction back, so that a refused call leaves no trace.
 *
 * @throws pg errors; a row held by another transaction for longer than the pool's lock time-out is sqlstate 55P03
 */
export async function claim(tx: Query, request: ClaimRequest): Promise<ClaimOutcome> {
  const { scope, name } = splitKey(request.key);
  const { rows } = await tx.query<{ fenced: boolean; claimed: boolean; proof: string }>({
    ...insertClaim,
    values: [
      request.tenantId,
      scope,
      name,
      request.operation,
      request.fingerprint.digest,
      request.fingerprint.version,
      request.fingerprint.members && JSON.stringify(request.fingerprint.members),
      request.leaseMs ?? null,
      request.fence?.orderId ?? null,
      request.fence?.epoch ?? null,
      request.leaseMs === undefined ? newProof() : null,
    ],
  });
  if (rows[0]?.fenced) return { kind: 'fenced' };
  const proof = request.leaseMs === undefined ? rows[0]?.proof : undefined;
  if (rows[0]?.claimed) return { kind: 'claimed', claim: heldClaim(request, 1, proof) };
  return await meet(tx, request, proof);
}

/** Somebody was here before: what does the row say? */
async function meet(tx: Query, request: ClaimRequest, proof: string | undefined): Promise<ClaimOutcome> {
  const { scope, name } = splitKey(request.key);
  const { rows } = await tx.query<ClaimRow>({ ...lockClaim, values: [request.tenantId, scope, name] });
  const row = rows[0];
  if (row === undefined) throw new Error('a claim vanished between two statements: is something deleting live claims?');
  if (row.fingerprint !== null && !isSameRequest(row, request)) {
    return { kind: 'reused', differing: differingMembers(row.members, request.fingerprint.members) };
  }
  if (row.state === 'sealed') return { kind: 'sealed' };
  if (row.state !== 'in_progress') return settledOutcome(row.state, row.answer ?? (await bodyOf(tx, request, row)));
  if (!row.leased) return { kind: 'ended' };
  if (row.remaining_ms > 0) return { kind: 'in_progress', remainingMs: row.remaining_ms };
  const taken = await tx.query<{ attempt: number }>({
    ...takeOver,
    values: [request.tenantId, scope, name, request.leaseMs ?? null],
  });
  const attempt = taken.rows[0]?.attempt ?? 1;
  return { kind: 'resumed', claim: heldClaim(request, attempt, proof) };
}

export function heldClaim({ tenantId, key, keepDays }: ClaimRequest, attempt: number, proof?: string): Claim {
  return {
    tenantId,
    key,
    attempt,
    ...(keepDays !== undefined && { keepDays }),
    ...(proof !== undefined && { proof }),
  };
}

async function bodyOf(
  db: Query,
  { tenantId, key }: Pick<ClaimRequest, 'tenantId' | 'key'>,
  row: Pick<ClaimRow, 'kept_until'>,
) {
  const [body] = await readAnswers(db, [{ tenantId, key, keptUntil: row.kept_until }]);
  return body;
}

/** What a settled claim says. @param answer undefined when it is past its last day */
export function settledOutcome(state: 'completed' | 'refused', answer: Buffer | undefined): ClaimOutcome {
  return answer === undefined ? { kind: 'expired' } : { kind: state, answer };
}

/** Whether the key stands for this very request (K2). */
export function isSameRequest(
  row: Pick<ClaimRow, 'operation' | 'fingerprint'>,
  request: Pick<ClaimRequest, 'operation' | 'fingerprint'>,
): boolean {
  return row.operation === request.operation && row.fingerprint?.equals(request.fingerprint.digest) === true;
}

/** Names of the top-level members that differ, where both requests' are known; never their values. */
export function differingMembers(stored: Record<string, string> | null, sent: Record<string, string> | null): string[] {
  if (stored === null || sent === null) return [];
  const names = new Set([...Object.keys(stored), ...Object.keys(sent)]);
  return [...names].filter((name) => stored[name] !== sent[name]).sort();
}

// The guard is the fence of outside effects: a sealed, settled or resumed claim can't be settled by an old attempt.
const settleClaim = statement(
  'idempotency.settle',
  `with settled as (
     update claims set state = case when $8::text is null then $5::text else ${provenSql('$5::text', '$8::text')} end,
            lease_until = null, settled_at = clock_timestamp(),
            answer = case when ${staysInClaimSql('$5::text', '$6::bytea')} then $6::bytea end,
            kept_until = case when $5::text = 'completed' then ${keptUntilSql('$7::int')} end
      where tenant_id = $1::text and scope = $2::text and name = $3::text
        and state = 'in_progress' and attempt = $4::int
      returning kept_until
   ), kept as (
     insert into answers (tenant_id, scope, name, kept_until, answer)
     select $1::text, $2::text, $3::text, kept_until, $6::bytea from settled
      where not ${staysInClaimSql('$5::text', '$6::bytea')}
   )
   select exists (select from settled) as settled,
          ($8::text is null or ${isProvenSql('$8::text')}) as proven`,
);

/**
 * Stores the answer of what was done, in the transaction of the effect.
 * @returns false when the claim is no longer ours (sealed, or taken over): nothing may be answered from this attempt
 * @throws TransactionEnded when it is not the transaction that took the claim, and should be
 */
export function complete(tx: Query, held: Claim, answer: Buffer): Promise<boolean> {
  return settle(tx, held, 'completed', answer);
}

/** Stores a business refusal: final, replayed for ever (S5). @returns false when the claim is no longer ours */
export function refuse(tx: Query, held: Claim, answer: Buffer): Promise<boolean> {
  return settle(tx, held, 'refused', answer);
}

async function settle(tx: Query, held: Claim, state: string, answer: Buffer): Promise<boolean> {
  const { scope, name } = splitKey(held.key);
  const keepDays = held.keepDays ?? DEFAULT_KEEP_DAYS;
  const values = [held.tenantId, scope, name, held.attempt, state, answer, keepDays, held.proof ?? null];
  try {
    const { rows } = await tx.query<{ settled: boolean; proven: boolean }>({ ...settleClaim, values });
    // The claim went with the transaction, so there was no row to fail on.
    if (rows[0]?.proven === false) throw transactionEnded();
    return rows[0]?.settled === true;
  } catch (error) {
    throw isProofMissing(error) ? transactionEnded(error) : error;
  }
}

const holdClaim = statement(
  'idempotency.attach',
  `select true from claims
    where tenant_id = $1::text and scope = $2::text and name = $3::text
      and state = 'in_progress' and attempt = $4::int
      for update`,
);

/**
 * Locks the claim for a write of an outside effect's progress (such as a provider's id) in this transaction.
 * @returns false when the claim is no longer ours: the progress must not be written, nor the effect go on
 */
export async function attach(tx: Query, held: Claim): Promise<boolean> {
  const { scope, name } = splitKey(held.key);
  const { rowCount } = await tx.query({ ...holdClaim, values: [held.tenantId, scope, name, held.attempt] });
  return rowCount === 1;
}

const endLease = statement(
  'idempotency.release',
  `update claims set lease_until = clock_timestamp()
    where tenant_id = $1::text and scope = $2::text and name = $3::text
      and state = 'in_progress' and attempt = $4::int`,
);

/** Ends our lease without an answer, so that the next attempt need not wait. By its owner only (H9). */
export async function release(db: Query, held: Claim): Promise<void> {
  const { scope, name } = splitKey(held.key);
  await db.query({ ...endLease, values: [held.tenantId, scope, name, held.attempt] });
}

/** What the act's claim was when it was sealed. */
export type SealedFrom = 'absent' | 'in_progress' | 'completed' | 'refused' | 'sealed';

const sealClaim = statement(
  'idempotency.seal',
  `with prior as (
     select state from claims where tenant_id = $1::text and scope = $2::text and name = $3::text for update
   ), sealed as (
     insert into claims as c (tenant_id, scope, name, operation, state, settled_at)
     values ($1::text, $2::text, $3::text, $4::text, 'sealed', clock_timestamp())
     on conflict (tenant_id, scope, name)
       do update set state = 'sealed', lease_until = null, settled_at = clock_timestamp() where c.state <> 'refused'
   )
   select coalesce((select state from prior), 'absent') as state`,
);

/**
 * Records that the act shall never run, or never again (K3). A refused act stays refused: that is final already (S5).
 * Call it after claim() of the undo's key with the order's fence: the fence's row keeps act and undo apart.
 */
export async function seal(tx: Query, tenantId: string, actKey: string, operation: string): Promise<SealedFrom> {
  const { scope, name } = splitKey(actKey);
  const { rows } = await tx.query<{ state: SealedFrom }>({ ...sealClaim, values: [tenantId, scope, name, operation] });
  return rows[0]?.state ?? 'absent';
}

/** What is known about a key (G16). */
export type Ask =
  | { kind: 'completed' | 'refused'; operation: string; answer: Buffer }
  | { kind: 'sealed' | 'in_progress' | 'expired'; operation: string }
  | { kind: 'unknown_key' };

const readClaim = statement(
  'idempotency.ask',
  `select operation, state, ${answerInClaimSql('claims')} as answer, kept_until::text
     from claims where tenant_id = $1::text and scope = $2::text and name = $3::text`,
);

/** Looks, and changes nothing. */
export async function ask(db: Query, tenantId: string, key: string): Promise<Ask> {
  const { scope, name } = splitKey(key);
  const { rows } = await db.query<Pick<ClaimRow, 'operation' | 'state' | 'answer' | 'kept_until'>>({
    ...readClaim,
    values: [tenantId, scope, name],
  });
  const row = rows[0];
  if (row === undefined) return { kind: 'unknown_key' };
  const { operation, state } = row;
  if (state === 'sealed' || state === 'in_progress') return { kind: state, operation };
  const answer = row.answer ?? (await bodyOf(db, { tenantId, key }, row));
  return answer === undefined ? { kind: 'expired', operation } : { kind: state, operation, answer };
}
