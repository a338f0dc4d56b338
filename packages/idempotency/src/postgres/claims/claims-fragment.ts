/*
 * Claims without a lease, which a caller writes in a statement of its own: the claim and the record of the work to do (an order
 * and its saga, say) are ONE statement, and the answer is stored by the statement that writes the work's end.
 *
 * K1  The claim is durable before the work goes out. Every holder of the key may repeat the work at any time, so it must be safe
 *     to repeat: a saga, or a call under a key derived from this one. The answer is stored once, before it is sent.
 * K2  The primary key decides. A key that was claimed before inserts nothing, and its row stays as it is.
 *
 * The key has no colon, so it is its claim's whole scope (core/key.ts). The answer stays in the claim's row, whatever its
 * length: a statement that could also write to `answers` would pay for that insert each time, and rarely needs it.
 */
import { type Query, statement } from '@holdfast/postgres';
import type { Fingerprint } from '../../core/fingerprint.ts';
import type { ClaimState } from './claims.ts';

/** SQL expressions over the rows of `source`. */
export interface NewClaims {
  tenantId: string;
  /** A key without a colon. */
  key: string;
  operation: string;
  /** Default: none. */
  resource?: string;
  fingerprint: string;
  fingerprintVersion: string;
  /** Digests of the request's members; default: none. */
  members?: string;
  /** The answer (bytea) where it is known already; null leaves the claim open. */
  answer: string;
  claimedAt: string;
  /** A `from` item; one key is claimed for each of its rows. */
  source: string;
}

/**
 * An insert for a statement's `with`. It returns the `key` of each claim that is new.
 * Claims are written in the order of their keys: two callers with the same keys wait for each other in one order, never in a circle.
 */
export function newClaimsSql(claim: NewClaims): string {
  // @guard H17 the tenant in the unique key: "on conflict (tenant_id, scope, name)" -> "on conflict (scope, name)"
  return `
     insert into holdfast.claims (tenant_id, scope, name, operation, resource, state, fingerprint, fingerprint_version, members,
                         answer, claimed_at, settled_at)
     select ${claim.tenantId}, ${claim.key}, '', ${claim.operation}, ${claim.resource ?? 'null'},
            case when ${claim.answer} is null then 'in_progress' else 'completed' end,
            ${claim.fingerprint}, ${claim.fingerprintVersion}, ${claim.members ?? 'null'}, ${claim.answer},
            ${claim.claimedAt}, case when ${claim.answer} is not null then clock_timestamp() end
       from ${claim.source}
      order by ${claim.tenantId}, ${claim.key}
     on conflict (tenant_id, scope, name) do nothing
     returning scope as key`;
}

/** SQL expressions over the rows of `source`. */
export interface SettledClaims {
  tenantId: string;
  key: string;
  /** Null leaves the claim as it is. */
  answer: string;
  /** A `from` item. */
  source: string;
  /** Name of the column in which the key of each claim that was open is returned. */
  returning: string;
}

/** An update for a statement's `with`: stores the answers of claims that are still open. */
export function settleClaimsSql({ tenantId, key, answer, source, returning }: SettledClaims): string {
  return `
     update holdfast.claims set state = 'completed', answer = ${answer}, settled_at = clock_timestamp()
       from ${source}
      where claims.tenant_id = ${tenantId} and claims.scope = ${key} and claims.name = ''
        and claims.state = 'in_progress' and ${answer} is not null
     returning claims.scope as ${returning}`;
}

/**
 * A condition: an undo has sealed this call, so that no attempt of it will ever take effect. Every argument is an SQL
 * expression. Read it under a lock that the seal takes too, or it may come a moment later.
 */
export function isSealedSql({ tenantId, scope, name }: { tenantId: string; scope: string; name: string }): string {
  return `exists (select from holdfast.claims where claims.tenant_id = ${tenantId} and claims.scope = ${scope}
                         and claims.name = ${name} and claims.state = 'sealed')`;
}

export interface OpenClaim {
  tenantId: string;
  /** Without a colon. */
  key: string;
  operation: string;
  resource: string | null;
  fingerprint: Fingerprint;
  claimedAt: Date;
}

const insertOpen = statement(
  'idempotency.open-claim',
  newClaimsSql({
    tenantId: '$1::text',
    key: '$2::text',
    operation: '$3::text',
    resource: '$4::text',
    fingerprint: '$5::bytea',
    fingerprintVersion: '$6::smallint',
    members: '$7::jsonb',
    answer: 'null::bytea',
    claimedAt: '$8::timestamptz',
    source: '(select 1) as one',
  }),
);

/** One such claim by itself. @returns false when the key was claimed before. @throws pg errors */
export async function openClaim(db: Query, claim: OpenClaim): Promise<boolean> {
  const { digest, version, members } = claim.fingerprint;
  const { rowCount } = await db.query({
    ...insertOpen,
    values: [
      claim.tenantId,
      claim.key,
      claim.operation,
      claim.resource,
      digest,
      version,
      members && JSON.stringify(members),
      claim.claimedAt,
    ],
  });
  return rowCount === 1;
}

export interface ClaimAnswer {
  state: ClaimState;
  /** Null while the claim is open, and past the answer's retention. */
  answer: Buffer | null;
}

/** SQL expressions without a source: it is one claim. */
export interface SettledOpenClaim {
  tenantId: string;
  /** A key without a colon. */
  key: string;
  /** `completed` or `refused`. */
  state: string;
  answer: string;
}

/**
 * An update for a statement's `with`: settles one claim, if it is open, and returns `state` and `answer` as they are stored,
 * whoever has stored them. The claim's row is locked from then on.
 */
export function settleOpenClaimSql({ tenantId, key, state, answer }: SettledOpenClaim): string {
  return `
     update holdfast.claims set state = case when state = 'in_progress' then ${state} else state end,
                     answer = case when state = 'in_progress' then ${answer} else answer end,
                     settled_at = coalesce(settled_at, clock_timestamp())
      where tenant_id = ${tenantId} and scope = ${key} and name = ''
     returning state, answer`;
}

const settleOpen = statement(
  'idempotency.settle-open-claim',
  settleOpenClaimSql({ tenantId: '$1::text', key: '$2::text', state: '$3::text', answer: '$4::bytea' }),
);

/** Stores the answer, if none is stored. @returns the stored one; undefined when there is no such claim. @throws pg errors */
export async function settleOpenClaim(
  db: Query,
  { tenantId, key }: Pick<OpenClaim, 'tenantId' | 'key'>,
  state: 'completed' | 'refused',
  answer: Buffer,
): Promise<ClaimAnswer | undefined> {
  const { rows } = await db.query<ClaimAnswer>({ ...settleOpen, values: [tenantId, key, state, answer] });
  return rows[0];
}
