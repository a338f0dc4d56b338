/*
 * The claims: why a retry is safe. Every statement takes a whole batch; a single call is a batch of one.
 *
 * K1  claimKeys(), the effects and insertClaims() or settleClaims() run in ONE transaction handed in by the caller. A row is
 *     written once, in the state that it ends in. Where the effect is outside the database, the claim commits first, in progress
 *     and with a lease; the call goes out under a key derived from ours; and settleClaims() commits before the answer is sent.
 * K2  The primary key admits one row per key. A request that finds one gets what is stored when it is the same, else `reused`, and
 *     the row stays as it is. When another call claims the key between our look and our insert, the insert violates the primary
 *     key: everything is rolled back, and the row is found when the batch is tried again.
 * K3  Acts and undos of an order come together at its fence, which is locked before anything is looked at or changed (seals.ts).
 * K4  The fence is raised in the first statement; a lower epoch raises nothing and goes no further. A request that the
 *     key does not stand for does not raise it either.
 * K4  One call raises it by FENCE_STEP at most, so that no single call puts an order out of its owner's reach. An epoch further
 *     up changes nothing else and is asked to call again: an owner whom this participant has missed for long climbs so.
 * K9  The first statement leaves a token with the transaction, and the statements that write the rows compare it (proof.ts). So a
 *     claim in progress without a lease was left by code that ended its scoped transaction: its effect may exist, and the key
 *     never runs again by itself. An operator checks, and deletes the claim or leaves it.
 *
 * Locks: fences in the order of tenant and order, then claims, then whatever the effect locks, in an order of its own. A
 * batch names an order, and a key, at most once.
 *
 * Crash windows: before the commit nothing has happened. After it, everything has happened, and the stored answer is given. Between an
 * outside effect's claim and its answer the row is in progress with a lease: when the lease has run out, the next attempt resumes
 * it (attempt + 1) and asks the provider; the slow first attempt can write nothing any more.
 */
import { fewRowsHint, isUniqueViolation, type Query, type Statement, statement } from '@holdfast/postgres';
import type { Fingerprint } from '../../core/fingerprint.ts';
import { splitKey } from '../../core/key.ts';
import { DEFAULT_KEEP_DAYS } from '../../core/retention-clock.ts';
import { differingMembers } from '../../core/same-request.ts';
import { isProofMissing, isProvenSql, leaveProofSql, newProof, provenSql } from '../scope/proof.ts';
import { transactionEnded } from '../scope/scoped-transaction.ts';
import { answerInClaimSql, keptUntilSql, readAnswers, staysInClaim, staysInClaimSql } from './answers.ts';
import { FENCE_STEP, type Fence, giveFences, judgeFence, type Raised, type Stopped } from './fences.ts';

export type ClaimState = 'in_progress' | 'completed' | 'refused' | 'sealed';

export interface ClaimRequest {
  tenantId: string;
  key: string;
  operation: string;
  fingerprint: Fingerprint;
  /** The order and the caller's epoch for it. Without them the call is not fenced (it belongs to no saga). */
  fence?: Fence;
  /** Only for effects outside the database: how long this attempt keeps others from trying. */
  leaseMs?: number;
  /** How many days the answer is given again; default DEFAULT_KEEP_DAYS. */
  keepDays?: number;
}

/** The right to run, once. */
export interface Claim {
  tenantId: string;
  key: string;
  attempt: number;
  /** As in the request. */
  keepDays?: number;
  /** Of the transaction that it must be written in; none where it lasts over several. */
  proof?: string;
}

export type ClaimOutcome =
  /** The key is new: run it now. */
  | { kind: 'claimed'; claim: Claim }
  /** An earlier attempt at an outside effect ended without an answer: ask the provider before anything else. */
  | { kind: 'resumed'; claim: Claim }
  | { kind: 'completed' | 'refused'; answer: Buffer }
  /** It completed, and its answer is past its last day. It must not run again; the effect's rows have the current state. */
  | { kind: 'answer_expired' }
  | { kind: 'sealed' }
  | { kind: 'in_progress'; remainingMs: number }
  | Stopped
  /** An earlier attempt ended its scoped transaction, and its effect may exist (K9). */
  | { kind: 'ended' }
  /** `differing`: names of top-level members, where they are known. */
  | { kind: 'reused'; differing: string[] };

// `reused` is isSameRequest() in SQL, since the fence goes by it. The inner select can't be flattened into a join (offset 0), so that each key is one probe of the primary key,
// whatever the planner believes of the table's size. One row comes back when no claim was there and every fence was raised,
// which is nearly always: one row for each would cost more than the fences.
// The fence is looked up beforehand only for an epoch above the step. What it was then is never more than it is now.
const fenceAndLook = statement(
  'idempotency.fence-and-look',
  // @guard K2 the comparison of fingerprints: "(c.fingerprint <> r.fingerprint or c.operation <> r.operation) as reused" -> "false as reused"
  // @guard K4 the fence predicate: " where f.epoch <= excluded.epoch" -> ""
  `with r as (
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::bigint[])
       with ordinality as r(tenant_id, scope, name, operation, fingerprint, order_id, epoch, ord)
   ), prior as materialized (
     select r.ord, c.* from r, lateral (
       select c.state, c.attempt, ${answerInClaimSql('c')} as answer, c.members, c.kept_until::text as kept_until,
              c.fingerprint is not null and (c.fingerprint <> r.fingerprint or c.operation <> r.operation) as reused,
              coalesce(ceil(extract(epoch from c.lease_until - clock_timestamp()) * 1000), 0)::int as remaining_ms,
              c.lease_until is not null as leased
         from holdfast.claims c where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name offset 0
     ) c
   ), wanted as materialized (
     select r.tenant_id, r.order_id, r.epoch as called,
            case when r.epoch <= ${FENCE_STEP} then r.epoch
                 else least(r.epoch, ${FENCE_STEP} + coalesce((select f.epoch from holdfast.fences f
                        where f.tenant_id = r.tenant_id and f.order_id = r.order_id), 0)) end as epoch
       from r
      where r.order_id is not null and (r.ord in (select ord from prior where reused)) is not true
      order by r.tenant_id, r.order_id
   ), fence as (
     insert into holdfast.fences as f (tenant_id, order_id, epoch)
     select tenant_id, order_id, epoch from wanted
     on conflict (tenant_id, order_id) do update set epoch = excluded.epoch where f.epoch <= excluded.epoch
     returning tenant_id, order_id, epoch
   )
   select case when (select count(*) from fence) < (select count(*) from wanted)
                 or exists (select from wanted where epoch < called)
               then coalesce((select json_object_agg(tenant_id || ' ' || order_id, epoch) from fence), '{}') end as raised,
          ${leaveProofSql('$8::text')} as proof, prior.*
     from (select 1) as one left join prior on true`,
);

interface Found {
  /** By tenant and order: where each fence stands that was raised; null when all were, as far as was called for. */
  raised: Raised;
  proof: string;
  /** Null when no key of the batch has a claim. */
  ord: number | null;
  state: ClaimState;
  attempt: number;
  answer: Buffer | null;
  members: Record<string, string> | null;
  reused: boolean;
  remaining_ms: number;
  leased: boolean;
  kept_until: string | null;
}

/**
 * Raises the fences and returns what each key stands for. `claimed` promises nothing yet: it holds once insertClaims has
 * written its row. `resumed` is adopted already.
 * @throws pg errors
 */
export async function claimKeys(tx: Query, requests: ClaimRequest[]): Promise<ClaimOutcome[]> {
  const { rows } = await tx.query<Found>({
    ...fenceAndLook,
    values: [
      ...keyColumns(requests),
      requests.map(({ operation }) => operation),
      requests.map(({ fingerprint }) => fingerprint.digest),
      requests.map(({ fence }) => fence?.orderId ?? null),
      requests.map(({ fence }) => fence?.epoch ?? null),
      newProof(),
    ],
  });
  const raised = rows[0]?.raised ?? null;
  const proof = rows[0]?.proof ?? '';
  const prior = new Map(rows.flatMap((row) => (row.ord === null ? [] : [[row.ord - 1, row] as const])));
  await giveBodies(tx, requests, prior);
  const outcomes = requests.map((request, at) => judge(request, prior.get(at), raised, proof));
  if (raised !== null) await giveFences(tx, requests, outcomes);
  const abandoned = outcomes.flatMap((outcome, at) => (outcome.kind === 'resumed' ? [at] : []));
  return abandoned.length === 0 ? outcomes : await adopt(tx, requests, outcomes, abandoned);
}

/** Reads the bodies of those that completed before: a second statement, which only repeated calls pay for. */
async function giveBodies(tx: Query, requests: ClaimRequest[], prior: Map<number, Found>): Promise<void> {
  const completed = [...prior].filter(([, row]) => row.state === 'completed' && row.answer === null && !row.reused);
  const bodies = await readAnswers(
    tx,
    completed.map(([at, row]) => ({ ...(requests[at] as ClaimRequest), keptUntil: row.kept_until })),
  );
  for (const [i, [, row]] of completed.entries()) row.answer = bodies[i] ?? null;
}

function judge(request: ClaimRequest, row: Found | undefined, raised: Raised, proof: string): ClaimOutcome {
  if (row?.reused) {
    return { kind: 'reused', differing: differingMembers(row.members, request.fingerprint.members) };
  }
  const stopped = judgeFence(request, raised);
  if (stopped !== null) return stopped;
  if (row === undefined) return { kind: 'claimed', claim: claimOf(request, 1, proof) };
  if (row.state === 'sealed') return { kind: 'sealed' };
  if (row.state !== 'in_progress') {
    return row.answer === null ? { kind: 'answer_expired' } : { kind: row.state, answer: row.answer };
  }
  // @guard K9 the mark of a key whose scoped transaction was ended: "if (!row.leased) return { kind: 'ended' };" -> ""
  if (!row.leased) return { kind: 'ended' };
  if (row.remaining_ms > 0) return { kind: 'in_progress', remainingMs: row.remaining_ms };
  return { kind: 'resumed', claim: claimOf(request, row.attempt + 1, proof) };
}

// An attempt that settles at this very moment wins: its row is no longer in progress, and is not adopted.
const adoptClaims = statement(
  'idempotency.adopt-claims',
  `with lapsed as materialized (
     select c.tenant_id, c.scope, c.name, r.attempt, r.lease_ms
       from (select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[])
                as r(tenant_id, scope, name, attempt, lease_ms)
              order by tenant_id, scope, name) r,
            lateral (select tenant_id, scope, name from holdfast.claims c
                      where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name
                        and c.state = 'in_progress' and c.attempt = r.attempt - 1
                        and c.lease_until <= clock_timestamp()
                        for update) c
   )
   update holdfast.claims c set attempt = r.attempt, lease_until = clock_timestamp() + r.lease_ms * interval '1 millisecond'
     from lapsed r where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name
   returning c.tenant_id, c.scope, c.name`,
);

async function adopt(
  tx: Query,
  requests: ClaimRequest[],
  outcomes: ClaimOutcome[],
  abandoned: number[],
): Promise<ClaimOutcome[]> {
  const wanted = abandoned.map((at) => ({ request: requests[at] as ClaimRequest, outcome: outcomes[at] as Resumed }));
  const { rows } = await tx.query<KeyColumns>({
    ...adoptClaims,
    values: [
      ...keyColumns(wanted.map(({ request }) => request)),
      wanted.map(({ outcome }) => outcome.claim.attempt),
      wanted.map(({ request }) => request.leaseMs ?? null),
    ],
  });
  const taken = new Set(rows.map(keyIn));
  const lost = new Set(abandoned.filter((at) => !taken.has(keyText(requests[at] as ClaimRequest))));
  return outcomes.map((outcome, at) => (lost.has(at) ? { kind: 'in_progress', remainingMs: 0 } : outcome));
}

function claimOf({ tenantId, key, keepDays }: ClaimRequest, attempt: number, proof: string): Claim {
  return { tenantId, key, attempt, proof, ...(keepDays !== undefined && { keepDays }) };
}

type Resumed = Extract<ClaimOutcome, { kind: 'resumed' }>;

/** The row that a claim leaves: settled, or in progress outside for as long as its lease. */
export interface NewClaim {
  /** Of this transaction. */
  claim: Claim;
  request: ClaimRequest;
  state: Exclude<ClaimState, 'sealed'>;
  answer: Buffer | null;
}

const NEW_ROWS = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::smallint[],
                          $8::jsonb[], $9::bytea[], $10::int[], $11::int[])
         as r(tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, members, answer, lease_ms,
              keep_days)`;
const LAST_DAY = `case when state = 'completed' then ${keptUntilSql('keep_days')} end`;
const newRowsSql = (answer: string, keptUntil: string, source: string) => `
   insert into holdfast.claims (tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, members, answer,
                       kept_until, lease_until, settled_at)
   select tenant_id, scope, name, operation, ${provenSql('state', '$12::text')}, fingerprint, fingerprint_version, members,
          ${answer}, ${keptUntil},
          case when state = 'in_progress' then clock_timestamp() + coalesce(lease_ms, 0) * interval '1 millisecond' end,
          case when state <> 'in_progress' then clock_timestamp() end
     from ${source}
    order by tenant_id, scope, name`;

// A plain insert: to look for the conflict first, and to be able to take the row back, would cost every claim. Refusals, and what
// is short, cost no second row (answers.ts).
const insertRows = statement('idempotency.insert-claims', newRowsSql('answer', LAST_DAY, NEW_ROWS));

const insertLongRows = statement(
  'idempotency.insert-long-claims',
  `with r as materialized (
     select *, ${LAST_DAY} as kept_until, ${staysInClaimSql('state', 'answer')} as stays from ${NEW_ROWS}
   ), kept as (
     insert into holdfast.answers (tenant_id, scope, name, kept_until, answer)
     select tenant_id, scope, name, kept_until, answer from r where kept_until is not null and not stays
     on conflict (tenant_id, scope, name, kept_until) do update set answer = excluded.answer
   )${newRowsSql('case when stays then answer end', 'kept_until', 'r')}`,
);

/** Writes the rows of keys that are claimed in this transaction. insertFault() says what its errors mean. */
export function insertClaimsQuery(claims: NewClaim[]): Statement & { values: unknown[] } {
  const requests = claims.map(({ request }) => request);
  const isLong = ({ state, answer }: NewClaim) =>
    state !== 'in_progress' && answer !== null && !staysInClaim(state, answer);
  return {
    ...(claims.some(isLong) ? insertLongRows : insertRows),
    values: [
      ...keyColumns(requests),
      requests.map(({ operation }) => operation),
      claims.map(({ state }) => state),
      requests.map(({ fingerprint }) => fingerprint.digest),
      requests.map(({ fingerprint }) => fingerprint.version),
      requests.map(({ fingerprint }) => fingerprint.members && JSON.stringify(fingerprint.members)),
      claims.map(({ answer }) => answer),
      requests.map(({ leaseMs }) => leaseMs ?? null),
      requests.map(({ keepDays }) => keepDays ?? DEFAULT_KEEP_DAYS),
      claims[0]?.claim.proof ?? null,
    ],
  };
}

/** Another call claimed one of the keys since they were looked up. Roll back and try again: the row will be found then. */
export class ClaimedMeanwhile extends Error {
  override name = 'ClaimedMeanwhile';
  constructor() {
    super('another process claimed a key of this batch meanwhile: roll back and try again');
  }
}

/** What an error of insertClaimsQuery() or settleClaims() means: TransactionEnded, ClaimedMeanwhile, or what it was. */
export function insertFault(error: unknown): unknown {
  if (isProofMissing(error)) return transactionEnded(error);
  return isUniqueViolation(error, 'claims_pkey') ? new ClaimedMeanwhile() : error;
}

/** Writes the rows of `claimed` outcomes. @throws ClaimedMeanwhile, TransactionEnded, pg errors */
export async function insertClaims(tx: Query, claims: NewClaim[]): Promise<void> {
  if (claims.length === 0) return;
  await tx.query(insertClaimsQuery(claims)).catch((error: unknown) => {
    throw insertFault(error);
  });
}

export interface Settled {
  claim: Claim;
  state: 'completed' | 'refused';
  answer: Buffer;
}

const settleRows = statement(
  'idempotency.settle-claims',
  `with r as materialized (
     select *, case when state = 'completed' then ${keptUntilSql('keep_days')} end as kept_until,
            ${staysInClaimSql('state', 'answer')} as stays
       from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::bytea[], $7::int[])
         as r(tenant_id, scope, name, attempt, state, answer, keep_days)
   ), kept as (
     insert into holdfast.answers (tenant_id, scope, name, kept_until, answer)
     select tenant_id, scope, name, kept_until, answer from r where kept_until is not null and not stays
     on conflict (tenant_id, scope, name, kept_until) do update set answer = excluded.answer
   ), settled as (
     update holdfast.claims c
        set state = ${provenSql('r.state', '$8::text')}, answer = case when r.stays then r.answer end, kept_until = r.kept_until,
            lease_until = null, settled_at = clock_timestamp()
       from r
      where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name
        and c.state = 'in_progress' and c.attempt = r.attempt and ${fewRowsHint('r.tenant_id', 'r.name')}
     returning true
   )
   select (select count(*) from settled)::int as settled, ${isProvenSql('$8::text')} as proven`,
);

/** Stores answers of claims that were resumed in this transaction, or attached to it. @throws TransactionEnded, pg errors */
export async function settleClaims(tx: Query, settled: Settled[]): Promise<void> {
  if (settled.length === 0) return;
  const stored = tx.query<{ settled: number; proven: boolean }>({
    ...settleRows,
    values: [
      ...keyColumns(settled.map(({ claim }) => claim)),
      settled.map(({ claim }) => claim.attempt),
      settled.map(({ state }) => state),
      settled.map(({ answer }) => answer),
      settled.map(({ claim }) => claim.keepDays ?? DEFAULT_KEEP_DAYS),
      settled[0]?.claim.proof ?? null,
    ],
  });
  const { rows } = await stored.catch((error: unknown) => {
    throw insertFault(error);
  });
  // The lock went with the transaction, so there may have been no row to fail on.
  if (rows[0]?.proven !== true) throw transactionEnded();
  if (rows[0].settled !== settled.length)
    throw new Error('a claim that is locked was lost: is something changing claims?');
}

export interface KeyColumns {
  tenant_id: string;
  scope: string;
  name: string;
}

export function keyColumns(entries: { tenantId: string; key: string }[]): [string[], string[], string[]] {
  const keys = entries.map(({ key }) => splitKey(key));
  return [entries.map(({ tenantId }) => tenantId), keys.map(({ scope }) => scope), keys.map(({ name }) => name)];
}

export function keyIn(row: KeyColumns): string {
  return `${row.tenant_id} ${row.scope} ${row.name}`;
}

export function keyText({ tenantId, key }: { tenantId: string; key: string }): string {
  const { scope, name } = splitKey(key);
  return `${tenantId} ${scope} ${name}`;
}
