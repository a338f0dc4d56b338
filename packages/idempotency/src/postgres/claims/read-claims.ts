/* Looking at claims, without changing anything. */
import { type Query, type Statement, statement } from '@holdfast/postgres';
import { joinKey } from '../../core/key.ts';
import { answerInClaimSql, readAnswers } from './answers.ts';
import { type ClaimState, keyColumns } from './claims.ts';

/** What a claim's row says. */
export interface ClaimRow {
  tenantId: string;
  key: string;
  operation: string;
  /** Where the result can be read; null where the operation implies it. */
  resource: string | null;
  state: ClaimState;
  fingerprint: Buffer | null;
  members: Record<string, string> | null;
  /** Null while the claim is in progress, past the answer's last day, and where it is a long one: see readAnswers(). */
  answer: Buffer | null;
  /** The answer's last day, YYYY-MM-DD. */
  keptUntil: string | null;
  claimedAt: Date;
}

/** As it is read. */
export type FoundClaim = Omit<ClaimRow, 'key'> & { scope: string; name: string };

// The inner select can't be flattened into a join (offset 0), so that each key is one probe of the primary key.
const readRows = statement(
  'idempotency.read-claims',
  `select c.*
     from unnest($1::text[], $2::text[], $3::text[]) as r(tenant_id, scope, name),
          lateral (select tenant_id as "tenantId", scope, name, operation, resource, state, fingerprint, members,
                          ${answerInClaimSql('claims')} as answer, kept_until::text as "keptUntil",
                          claimed_at as "claimedAt"
                     from holdfast.claims
                    where claims.tenant_id = r.tenant_id and claims.scope = r.scope and claims.name = r.name
                      and not ($4::boolean and claims.state = 'in_progress') offset 0) c`,
);

/** @param onlySettled leaves out claims that are in progress */
export function readClaimsQuery(
  keys: { tenantId: string; key: string }[],
  { onlySettled = false } = {},
): Statement & { values: unknown[] } {
  return { ...readRows, values: [...keyColumns(keys), onlySettled] };
}

/** Keys without a claim are missing. @throws pg errors */
export async function readClaims(
  db: Query,
  keys: { tenantId: string; key: string }[],
  options?: { onlySettled?: boolean },
): Promise<ClaimRow[]> {
  const { rows } = await db.query<FoundClaim>(readClaimsQuery(keys, options));
  return rows.map(({ scope, name, ...row }) => ({ ...row, key: joinKey({ scope, name }) }));
}

/** What is known about a key (G16). */
export type Ask =
  | { kind: 'completed' | 'refused'; operation: string; answer: Buffer }
  | { kind: 'sealed' | 'in_progress' | 'answer_expired'; operation: string }
  | { kind: 'not_found' };

/** The claim of a key, with its answer however long that is. @throws pg errors */
export async function ask(db: Query, tenantId: string, key: string): Promise<Ask> {
  const [row] = await readClaims(db, [{ tenantId, key }]);
  if (row === undefined) return { kind: 'not_found' };
  const { operation, state, keptUntil } = row;
  if (state === 'sealed' || state === 'in_progress') return { kind: state, operation };
  const answer = row.answer ?? (await readAnswers(db, [{ tenantId, key, keptUntil }]))[0];
  return answer === undefined ? { kind: 'answer_expired', operation } : { kind: state, operation, answer };
}
