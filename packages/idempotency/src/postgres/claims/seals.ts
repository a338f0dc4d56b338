/*
 * Sealing: the record that an act shall never run, or never again.
 *
 * K3  It is written in the transaction of the undo's claim, under the fence of its order, which keeps act and undo apart. A claim of
 *     a sealed key gets `sealed`, and a running attempt can store nothing any more: its row is not in progress.
 * S5  A refused act stays refused: that is final already.
 */
import { type Query, statement } from '@holdfast/postgres';
import { type KeyColumns, keyColumns, keyIn, keyText } from './claims.ts';

/** What the act's claim was when it was sealed. */
export type SealedFrom = 'not_found' | 'in_progress' | 'completed' | 'refused' | 'sealed';

const sealRows = statement(
  'idempotency.seal-claims',
  // @guard H17 the tenant in the unique key: "on conflict (tenant_id, scope, name)" -> "on conflict (scope, name)"
  // @guard K3 the seal: "'sealed', clock_timestamp() from r order by" -> "'sealed', clock_timestamp() from r where false order by"
  // @guard K3 the seal: "do update set state = 'sealed', lease_until" -> "do update set lease_until"
  `with r as (
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as r(tenant_id, scope, name, operation)
   ), prior as materialized (
     select c.* from (select * from r order by tenant_id, scope, name) r, lateral (
       select tenant_id, scope, name, state from holdfast.claims c
        where c.tenant_id = r.tenant_id and c.scope = r.scope and c.name = r.name for update) c
   ), sealed as (
     insert into holdfast.claims as c (tenant_id, scope, name, operation, state, settled_at)
     select tenant_id, scope, name, operation, 'sealed', clock_timestamp() from r order by tenant_id, scope, name
     on conflict (tenant_id, scope, name)
       do update set state = 'sealed', lease_until = null, settled_at = clock_timestamp() where c.state <> 'refused'
   )
   select tenant_id, scope, name, state from prior`,
);

/** Seals the acts of a batch's undos, after claimKeys() of the undos. @returns what each was. @throws pg errors */
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
  return acts.map((act) => prior.get(keyText(act)) ?? 'not_found');
}
