/*
 * Claims that last over several transactions, for effects outside the database.
 *
 * K1  A claim is ours as long as it is in progress and its attempt is ours. The outcome is written in the transaction that locks
 *     such claims: one that was sealed or adopted meanwhile is not among them (H12).
 */
import { fewRowsHint, type Query, statement } from '@holdfast/postgres';
import { leaveProofSql, newProof } from '../scope/proof.ts';
import { type Claim, type KeyColumns, keyColumns, keyIn, keyText } from './claims.ts';

/**
 * CTEs for a statement that writes the outcomes of outside effects: `held` has the rows of its list whose claims are still ours,
 * and has locked these. The list's first four columns are those of heldColumns, $1 to $4; `more` columns, texts, come next.
 */
export function heldClaimsSql(...more: string[]): string {
  const columns = ['tenant_id', 'scope', 'name', 'attempt', ...more];
  const lists = columns.map((name, at) => `$${at + 1}::${name === 'attempt' ? 'int' : 'text'}[]`);
  // @guard K1 the owner check on release: "and c.state = 'in_progress' and c.attempt = r.attempt" -> "and c.state = 'in_progress' and r.attempt is not null"
  return `held as materialized (
     select ${columns.map((name) => `r.${name}`).join(', ')}
       from (select * from unnest(${lists.join(', ')}) as r(${columns.join(', ')}) order by tenant_id, scope, name) r,
            lateral (select from holdfast.claims c
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
 * Locks the claims, so that this transaction can write their outcomes.
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

const endLeases = statement(
  'idempotency.release-claims',
  `with ${heldClaimsSql()}
   update holdfast.claims c set lease_until = clock_timestamp() from held r
    where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name and ${fewRowsHint('r.tenant_id', 'r.name')}`,
);

/** Ends our leases without an answer, so that the next attempt need not wait. By their owner only (H9). @throws pg errors */
export async function releaseClaims(db: Query, held: Claim[]): Promise<void> {
  await db.query({ ...endLeases, values: heldColumns(held) });
}

const lockOne = statement(
  'idempotency.lock-held-claim',
  `with ${heldClaimsSql()} select count(*)::int as held from held`,
);

/** Locks the claim until the transaction ends, where the attempt still holds it. @returns false when it is another's by now */
export async function lockHeldClaim(tx: Query, held: Claim): Promise<boolean> {
  const { rows } = await tx.query<{ held: number }>({ ...lockOne, values: heldColumns([held]) });
  return rows[0]?.held === 1;
}
