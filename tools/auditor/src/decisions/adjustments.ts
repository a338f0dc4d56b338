/*
 * A1  What no order has changed: sets and adjustments of stock and accounts, and prices. Each entry carries a proof that the
 *     API has decided it under this key, made by the secret of the orchestrator's database (proven-key.ts there). Whoever has no more than a
 *     certificate, or a password of this one database, can't make one. It is made again here from the entry, so that it can be
 *     judged when the key's claim has long been purged, and while others are under way.
 */
import { type ChangedBook, changeProofParts, dispatchProofParts } from '@holdfast/contracts';
import { createFingerprinter } from '@holdfast/idempotency';
import { type Query, type Statement, statement } from '@holdfast/postgres';
import { pagesOf, type Tally } from '@holdfast/testing/audit';

/** Makes the orchestrator's proofs again. */
export interface Prover {
  change(book: ChangedBook, proved: { tenantId: string; key: string; change: object }): string;
  dispatch(order: { tenantId: string; orderId: string }): string;
}

const SECRET = statement('audit.secret', 'select secret from holdfast.fingerprint_secrets where sole');

/** @param db the orchestrator's. Without a secret it has decided nothing: no proof is right then. */
export async function readProver(db: Query): Promise<Prover> {
  const [row] = (await db.query<{ secret: Buffer }>(SECRET)).rows;
  if (row === undefined) return { change: () => '', dispatch: () => '' };
  const { derivedId } = createFingerprinter(row.secret);
  return {
    change: (book, proved) => derivedId(...changeProofParts(book, proved)),
    dispatch: (order) => derivedId(...dispatchProofParts(order)),
  };
}

interface ChangeRow {
  tenantId: string;
  id: string;
  entryKey: string;
  proof: string | null;
  kind: 'set' | 'adjust';
  delta: number;
  /** Of a set: what it set, without the version. */
  after: Record<string, unknown> | null;
  before: Record<string, unknown> | null;
  /** Whether another entry of this table has the same key: a proof stands for one. */
  isCopied: boolean;
}

const changesOf = (table: string, id: string): string => `
  select e.tenant_id as "tenantId", e.${id} as id, e.entry_key as "entryKey", e.proof, e.kind, e.delta, e.after - 'version' as after, e.before,
         count(*) over (partition by e.tenant_id, e.entry_key) > 1 as "isCopied"
    from ${table} e
   where (e.tenant_id, e.entry_key, e.${id}) > ($1::text, $2::text, $3::text) and e.kind in ('set', 'adjust')
   order by e.tenant_id, e.entry_key, e.${id} limit $4::integer`;

const CHANGES: Readonly<Record<ChangedBook, Statement>> = {
  stock: statement('audit.stock-changes', changesOf('stock_entries', 'sku')),
  account: statement('audit.account-changes', changesOf('account_entries', 'customer_id')),
};

/** @param db one snapshot of the service whose books these are */
export async function auditChanges(db: Query, book: ChangedBook, prover: Prover, check: Tally): Promise<void> {
  const cursor = (row: ChangeRow) => [row.tenantId, row.entryKey, row.id];
  for await (const page of pagesOf<ChangeRow>(db, CHANGES[book], 3, cursor)) {
    for (const row of page) judgeChange(row, book, prover, check);
    check.look(page.length);
  }
}

function judgeChange(row: ChangeRow, book: ChangedBook, prover: Prover, check: Tally): void {
  const { tenantId, id, entryKey: key, proof, kind, delta, before, after, isCopied } = row;
  const change = kind === 'set' ? (after ?? {}) : { delta };
  const isProven = proof !== null && proof !== '' && proof === prover.change(book, { tenantId, key, change });
  const what = kind === 'set' ? `a set to ${JSON.stringify(after)}` : `an adjustment of ${delta}`;
  if (!isProven) check.violation(`${tenantId}:${id}`, `${what} that no key of the orchestrator stands for`);
  else if (after !== null && setBy(after) - setBy(before) !== delta) {
    check.violation(`${tenantId}:${id}`, `${what} that counts ${delta}`);
  } else if (isCopied) check.violation(`${tenantId}:${id}`, `${what} under a key that stands for one elsewhere`);
}

/** The count or the balance; what set neither has changed neither. */
function setBy(said: Record<string, unknown> | null): number {
  return Number(said?.onHand ?? said?.balance ?? 0);
}

const PRICES = statement(
  'audit.prices',
  `select s.tenant_id as "tenantId", s.sku, s.unit_price as price, l.price as "lastSet"
     from (select tenant_id, sku, unit_price from stock where (tenant_id, sku) > ($1::text, $2::text)
            order by tenant_id, sku limit $3::integer) s
     left join lateral (
       select (e.after ->> 'unitPrice')::bigint as price from stock_entries e
        where e.tenant_id = s.tenant_id and e.sku = s.sku and e.kind = 'set' and e.after ? 'unitPrice'
        order by (e.after ->> 'version')::bigint desc limit 1) l on true
    order by s.tenant_id, s.sku`,
);

interface PriceRow {
  tenantId: string;
  sku: string;
  price: number;
  lastSet: number | null;
}

/** @param db inventory's snapshot, the one that its entries are read from */
export async function auditPrices(db: Query, check: Tally): Promise<void> {
  for await (const page of pagesOf<PriceRow>(db, PRICES, 2, (row) => [row.tenantId, row.sku])) {
    for (const { tenantId, sku, price, lastSet } of page) {
      if (price === lastSet) continue;
      check.violation(`${tenantId}:${sku}`, `costs ${price}, and ${lastSet ?? 'nothing'} was set last`);
    }
    check.look(page.length);
  }
}
