/*
 * K8  Writes that set a value: whoever sends one again without a key and without a version can't be told from somebody who
 *     means it, and gives back what was spent in between. The books say what each set found, so it is seen here.
 */
import { BLIND_KEY } from '@holdfast/contracts';
import { type Query, type Statement, statement } from '@holdfast/postgres';
import type { Tally } from '@holdfast/testing/audit';
import { pagesOf } from '@holdfast/testing/audit';

interface SetRow {
  tenantId: string;
  id: string;
  entryKey: string;
  found: object;
  became: object;
  /** Of a set without key and version: whether the same one was there before, a retry's time ago. */
  isRepeated: boolean;
}

/** Longer than anything is retried by itself; what is set again later was decided anew. */
const RETRIED_WITHIN = '12 hours';

const setsOf = (table: string, id: string): string => `
  select e.tenant_id as "tenantId", e.${id} as id, e.entry_key as "entryKey",
         e.before - 'version' as found, e.after - 'version' as became,
         e.entry_key like '${BLIND_KEY}%' and exists (
           select from ${table} p
            where p.tenant_id = e.tenant_id and p.${id} = e.${id} and p.kind = 'set'
              and p.after - 'version' = e.after - 'version'
              and (p.after ->> 'version')::bigint < (e.after ->> 'version')::bigint
              and p.recorded_at > e.recorded_at - interval '${RETRIED_WITHIN}') as "isRepeated"
    from ${table} e
   where (e.tenant_id, e.${id}, e.entry_key) > ($1::text, $2::text, $3::text) and e.kind = 'set'
   order by e.tenant_id, e.${id}, e.entry_key limit $4::integer`;

export const STOCK_SETS = statement('audit.stock-sets', setsOf('stock_entries', 'sku'));
export const ACCOUNT_SETS = statement('audit.account-sets', setsOf('account_entries', 'customer_id'));

export async function auditSets(db: Query, sets: Statement, check: Tally): Promise<void> {
  const cursor = (row: SetRow) => [row.tenantId, row.id, row.entryKey];
  for await (const page of pagesOf<SetRow>(db, sets, 3, cursor)) {
    for (const { tenantId, id, isRepeated, found, became } of page) {
      const [before, after] = [found, became].map((state) => JSON.stringify(state));
      if (!isRepeated || before === after) continue;
      const detail = `was set to ${after} a second time, without a key or a version, and had become ${before} meanwhile`;
      check.violation(`${tenantId}:${id}`, detail);
    }
    check.look(page.length);
  }
}
