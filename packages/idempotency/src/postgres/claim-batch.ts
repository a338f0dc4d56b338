/*
 * Many claims in one transaction: the rules of claim.ts, in statements that take a whole batch.
 *
 * K1  The order of things is fences and look-up, effect, then the claims' rows with their answers; all in the caller's
 *     one transaction. A row is written once, in the state that it ends in, rather than inserted and updated.
 * K2  The primary key decides. When somebody claims the same key between our look and our insert, the insert violates
 *     it: `insertClaims` throws, everything is rolled back, and the batch finds the row when it is tried again.
 * K3  Acts and undos of an order meet at its fence, which is locked before anything is looked at or changed.
 * K4  The fence is raised in the first statement; a lower epoch raises nothing and goes no further. A request that the
 *     key does not stand for does not raise it either.
 * K9  The first statement leaves a token with the transaction, and the statements that write the rows compare it (proof.ts). So a
 *     claim that is in flight and has no lease is what code left behind that ended the transaction it was lent: its effect may be
 *     there, and the key never runs again by itself. An operator looks, and deletes the claim, or leaves it.
 *
 * Locks: fences in the order of tenant and order, then claims, then whatever the effect locks, in an order of its own. A
 * batch names an order, and a key, at most once.
 */
import { guessedFew, isUniqueViolation, type Query, statement } from '@holdfast/postgres';
import { splitKey } from '../core/key.ts';
import { answerInClaimSql, DEFAULT_KEEP_DAYS, keptUntilSql, readAnswers, staysInClaimSql } from './answers.ts';
import {
  type Claim,
  type ClaimOutcome,
  type ClaimRequest,
  differingMembers,
  heldClaim,
  type SealedFrom,
  settledOutcome,
} from './claim.ts';
import { isProofMissing, isProvenSql, leaveProofSql, newProof, provenSql } from './proof.ts';
import { transactionEnded } from './scoped-transaction.ts';

// The inner select can't be flattened into a join (offset 0), so that each key is one probe of the primary key,
// whatever the planner believes of the table's size. One row comes back when nothing was met and every fence was raised,
// which is nearly always: rows that say so one by one would cost more than the fences.
const fenceAndLook = statement(
  'idempotency.fence-and-look',
  `with r as (
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::bigint[])
       with ordinality as r(tenant_id, scope, name, operation, fingerprint, order_id, epoch, ord)
   ), prior as materialized (
     select r.ord, c.* from r, lateral (
       select c.state, c.attempt, ${answerInClaimSql('c')} as answer, c.members, c.kept_until::text as kept_until,
              c.fingerprint is not null and (c.fingerprint <> r.fingerprint or c.operation <> r.operation) as reused,
              coalesce(ceil(extract(epoch from c.lease_until - clock_timestamp()) * 1000), 0)::int as remaining_ms,
              c.lease_until is not null as leased
         from claims c where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name offset 0
     ) c
   ), wanted as materialized (
     select r.tenant_id, r.order_id, r.epoch from r
      where r.order_id is not null and (r.ord in (select ord from prior where reused)) is not true
      order by r.tenant_id, r.order_id
   ), fence as (
     insert into fences as f (tenant_id, order_id, epoch)
     select tenant_id, order_id, epoch from wanted
     on conflict (tenant_id, order_id) do update set epoch = excluded.epoch where f.epoch <= excluded.epoch
     returning tenant_id, order_id
   )
   select case when (select count(*) from fence) < (select count(*) from wanted)
               then array(select tenant_id || ' ' || order_id from fence) end as raised,
          ${leaveProofSql('$8::text')} as proof, prior.*
     from (select 1) as one left join prior on true`,
);

interface Met {
  /** Tenant and order of each fence that was raised; null when all were that were to be. */
  raised: string[] | null;
  proof: string;
  /** Null when no key of the batch was met. */
  ord: number | null;
  state: 'in_progress' | 'completed' | 'refused' | 'sealed';
  attempt: number;
  answer: Buffer | null;
  members: Record<string, string> | null;
  reused: boolean;
  remaining_ms: number;
  leased: boolean;
  kept_until: string | null;
}

/**
 * Raises the fences and tells what each key stands for. `claimed` promises nothing yet: it stands when insertClaims has
 * written its row. `resumed` has been taken over already.
 * @throws pg errors
 */
export async function meetClaims(tx: Query, requests: ClaimRequest[]): Promise<ClaimOutcome[]> {
  const { rows } = await tx.query<Met>({
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
  const isRaised = raised === null ? () => true : isAmong(new Set(raised));
  const met = requests.map((request, at) => judge(request, prior.get(at), isRaised, proof));
  const abandoned = met.flatMap((outcome, at) => (outcome.kind === 'resumed' ? [at] : []));
  return abandoned.length === 0 ? met : await takeOver(tx, requests, met, abandoned);
}

/** Reads the bodies of those that were executed before: a second statement, which only repeated calls pay for. */
async function giveBodies(tx: Query, requests: ClaimRequest[], prior: Map<number, Met>): Promise<void> {
  const executed = [...prior].filter(([, row]) => row.state === 'completed' && row.answer === null && !row.reused);
  const bodies = await readAnswers(
    tx,
    executed.map(([at, row]) => ({ ...(requests[at] as ClaimRequest), keptUntil: row.kept_until })),
  );
  for (const [i, [, row]] of executed.entries()) row.answer = bodies[i] ?? null;
}

type IsRaised = (tenantId: string, orderId: string) => boolean;

function isAmong(raised: Set<string>): IsRaised {
  return (tenantId, orderId) => raised.has(`${tenantId} ${orderId}`);
}

function judge(request: ClaimRequest, row: Met | undefined, isRaised: IsRaised, proof: string): ClaimOutcome {
  if (row?.reused) {
    return { kind: 'reused', differing: differingMembers(row.members, request.fingerprint.members) };
  }
  const { fence, tenantId } = request;
  if (fence !== undefined && !isRaised(tenantId, fence.orderId)) return { kind: 'fenced' };
  if (row === undefined) return { kind: 'claimed', claim: heldClaim(request, 1, proof) };
  if (row.state === 'sealed') return { kind: 'sealed' };
  if (row.state !== 'in_progress') return settledOutcome(row.state, row.answer ?? undefined);
  if (!row.leased) return { kind: 'ended' };
  if (row.remaining_ms > 0) return { kind: 'in_progress', remainingMs: row.remaining_ms };
  return { kind: 'resumed', claim: heldClaim(request, row.attempt + 1, proof) };
}

// An attempt that settles at this very moment wins: its row is no longer in flight, and ours is not taken over.
const takeOverClaims = statement(
  'idempotency.take-over-claims',
  `with held as materialized (
     select c.tenant_id, c.scope, c.name, r.attempt, r.lease_ms
       from (select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[])
                as r(tenant_id, scope, name, attempt, lease_ms)
              order by tenant_id, scope, name) r,
            lateral (select tenant_id, scope, name from claims c
                      where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name
                        and c.state = 'in_progress' and c.attempt = r.attempt - 1
                        and c.lease_until <= clock_timestamp()
                        for update) c
   )
   update claims c set attempt = r.attempt, lease_until = clock_timestamp() + r.lease_ms * interval '1 millisecond'
     from held r where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name
   returning c.tenant_id, c.scope, c.name`,
);

async function takeOver(
  tx: Query,
  requests: ClaimRequest[],
  met: ClaimOutcome[],
  abandoned: number[],
): Promise<ClaimOutcome[]> {
  const wanted = abandoned.map((at) => ({ request: requests[at] as ClaimRequest, outcome: met[at] as Resumed }));
  const { rows } = await tx.query<KeyColumns>({
    ...takeOverClaims,
    values: [
      ...keyColumns(wanted.map(({ request }) => request)),
      wanted.map(({ outcome }) => outcome.claim.attempt),
      wanted.map(({ request }) => request.leaseMs ?? null),
    ],
  });
  const taken = new Set(rows.map(keyIn));
  const lost = new Set(abandoned.filter((at) => !taken.has(keyText(requests[at] as ClaimRequest))));
  return met.map((outcome, at) => (lost.has(at) ? { kind: 'in_progress', remainingMs: 0 } : outcome));
}

type Resumed = Extract<ClaimOutcome, { kind: 'resumed' }>;

/** The row that a claim leaves: settled, or in flight outside for as long as its lease. */
export interface NewClaim {
  /** As met in this transaction. */
  claim: Claim;
  request: ClaimRequest;
  state: 'in_progress' | 'completed' | 'refused';
  answer: Buffer | null;
}

// A plain insert: to look for the conflict first, and to be able to take the row back, would cost every claim.
const insertRows = statement(
  'idempotency.insert-claims',
  `with r as materialized (
     select *, case when state = 'completed' then ${keptUntilSql('keep_days')} end as kept_until,
            ${staysInClaimSql('state', 'answer')} as stays
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::smallint[], $8::jsonb[],
                   $9::bytea[], $10::int[], $11::int[])
         as r(tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, members, answer, lease_ms,
              keep_days)
      order by tenant_id, scope, name
   ), kept as (
     insert into answers (tenant_id, scope, name, kept_until, answer)
     select tenant_id, scope, name, kept_until, answer from r where kept_until is not null and not stays
     on conflict (tenant_id, scope, name, kept_until) do update set answer = excluded.answer
   )
   insert into claims (tenant_id, scope, name, operation, state, fingerprint, fingerprint_version, members, answer,
                       kept_until, lease_until, settled_at)
   select tenant_id, scope, name, operation, ${provenSql('state', '$12::text')}, fingerprint, fingerprint_version, members,
          case when stays then answer end, kept_until,
          case when state = 'in_progress' then clock_timestamp() + coalesce(lease_ms, 0) * interval '1 millisecond' end,
          case when state <> 'in_progress' then clock_timestamp() end
     from r`,
);

/** Somebody claimed one of the keys since they were looked up. Roll back, and try again: the row will be met then. */
export class ClaimedMeanwhile extends Error {
  override name = 'ClaimedMeanwhile';
  constructor() {
    super('another process has claimed a key of this batch meanwhile: roll back and try again');
  }
}

/** Writes the rows of `claimed` outcomes. @throws ClaimedMeanwhile, TransactionEnded, pg errors */
export async function insertClaims(tx: Query, claims: NewClaim[]): Promise<void> {
  if (claims.length === 0) return;
  const requests = claims.map(({ request }) => request);
  const inserted = tx.query({
    ...insertRows,
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
  });
  await inserted.catch((error: unknown) => {
    if (isProofMissing(error)) throw transactionEnded(error);
    throw isUniqueViolation(error, 'claims_pkey') ? new ClaimedMeanwhile() : error;
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
     insert into answers (tenant_id, scope, name, kept_until, answer)
     select tenant_id, scope, name, kept_until, answer from r where kept_until is not null and not stays
     on conflict (tenant_id, scope, name, kept_until) do update set answer = excluded.answer
   ), settled as (
     update claims c
        set state = ${provenSql('r.state', '$8::text')}, answer = case when r.stays then r.answer end, kept_until = r.kept_until,
            lease_until = null, settled_at = clock_timestamp()
       from r
      where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name
        and c.state = 'in_progress' and c.attempt = r.attempt and ${guessedFew('r.tenant_id', 'r.name')}
     returning true
   )
   select (select count(*) from settled)::int as settled, ${isProvenSql('$8::text')} as proven`,
);

/** Stores answers of claims that are held: resumed in this transaction, or attached to it. @throws TransactionEnded, pg errors */
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
    throw isProofMissing(error) ? transactionEnded(error) : error;
  });
  // The lock went with the transaction, so there may have been no row to fail on.
  if (rows[0]?.proven !== true) throw transactionEnded();
  if (rows[0].settled !== settled.length)
    throw new Error('a claim that is locked was lost: is something changing claims?');
}

/**
 * CTEs for a statement that writes what came of outside effects: `held` has the rows of its list whose claims are still ours,
 * and has locked these. The list's first four columns are those of heldColumns, $1 to $4; `more` columns, texts, come next.
 */
export function heldClaimsSql(...more: string[]): string {
  const columns = ['tenant_id', 'scope', 'name', 'attempt', ...more];
  const lists = columns.map((name, at) => `$${at + 1}::${name === 'attempt' ? 'int' : 'text'}[]`);
  return `held as materialized (
     select ${columns.map((name) => `r.${name}`).join(', ')}
       from (select * from unnest(${lists.join(', ')}) as r(${columns.join(', ')}) order by tenant_id, scope, name) r,
            lateral (select from claims c
                      where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name
                        and c.state = 'in_progress' and c.attempt = r.attempt
                        for update) c
   )`;
}

export function heldColumns(held: Claim[]): [string[], string[], string[], number[]] {
  return [...keyColumns(held), held.map(({ attempt }) => attempt)];
}

const lockHeld = statement(
  'idempotency.attach-claims',
  `with ${heldClaimsSql()} select tenant_id, scope, name, ${leaveProofSql('$5::text')} as proof from held`,
);

/**
 * Locks the claims for a write of what came of them, in this transaction.
 * @returns each claim that is still ours, as it is settled here; undefined for the others. @throws pg errors
 */
export async function attachClaims(tx: Query, held: Claim[]): Promise<(Claim | undefined)[]> {
  const { rows } = await tx.query<KeyColumns & { proof: string }>({
    ...lockHeld,
    values: [...heldColumns(held), newProof()],
  });
  const ours = new Map(rows.map((row) => [keyIn(row), row.proof]));
  return held.map((claim) => {
    const proof = ours.get(keyText(claim));
    return proof === undefined ? undefined : { ...claim, proof };
  });
}

const sealRows = statement(
  'idempotency.seal-claims',
  `with r as (
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as r(tenant_id, scope, name, operation)
   ), prior as materialized (
     select c.* from (select * from r order by tenant_id, scope, name) r, lateral (
       select tenant_id, scope, name, state from claims c
        where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name for update) c
   ), sealed as (
     insert into claims as c (tenant_id, scope, name, operation, state, settled_at)
     select tenant_id, scope, name, operation, 'sealed', clock_timestamp() from r order by tenant_id, scope, name
     on conflict (tenant_id, scope, name)
       do update set state = 'sealed', lease_until = null, settled_at = clock_timestamp() where c.state <> 'refused'
   )
   select tenant_id, scope, name, state from prior`,
);

/** Like seal(), for the acts of a batch's undos, under their orders' fences. @throws pg errors */
export async function sealClaims(
  tx: Query,
  acts: { tenantId: string; key: string; operation: string }[],
): Promise<SealedFrom[]> {
  if (acts.length === 0) return [];
  const { rows } = await tx.query<KeyColumns & { state: SealedFrom }>({
    ...sealRows,
    values: [...keyColumns(acts), acts.map(({ operation }) => operation)],
  });
  const prior = new Map(rows.map((row) => [keyIn(row), row.state]));
  return acts.map((act) => prior.get(keyText(act)) ?? 'absent');
}

interface KeyColumns {
  tenant_id: string;
  scope: string;
  name: string;
}

export function keyColumns(entries: { tenantId: string; key: string }[]): [string[], string[], string[]] {
  const keys = entries.map(({ key }) => splitKey(key));
  return [entries.map(({ tenantId }) => tenantId), keys.map(({ scope }) => scope), keys.map(({ name }) => name)];
}

function keyIn(row: KeyColumns): string {
  return `${row.tenant_id} ${row.scope} ${row.name}`;
}

function keyText({ tenantId, key }: { tenantId: string; key: string }): string {
  const { scope, name } = splitKey(key);
  return `${tenantId} ${scope} ${name}`;
}
