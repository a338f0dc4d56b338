/*
 * The catalogue: count and price of every item.
 *
 * A1  on_hand = the sum of its entries: each change of it writes one, in the same transaction.
 * K5  The entry of an adjustment or a set carries the call's key in its primary key: it counts once, even when its claim is gone.
 * K8  A set changes what its caller has given and nothing else; under a version it changes nothing that came since that one.
 */
import { reasons } from '@holdfast/contracts';
import type { EffectOutcome } from '@holdfast/participant';
import { type Query, statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';

export interface Stock {
  sku: string;
  onHand: number;
  reserved: number;
  /** Minor units, each. */
  unitPrice: number;
  currency: string;
  /** Rises with every change. */
  version: number;
}

/** What a call has made of an item; `before` is absent where it was made by an earlier call of the key. */
export interface ChangedStock {
  stock: Stock;
  before?: Stock;
}

const COLUMNS = `sku, on_hand as "onHand", reserved, unit_price as "unitPrice", currency, version`;

const findStock = statement(
  'inventory.find-stock',
  `select ${COLUMNS} from stock where tenant_id = $1::text and sku = $2::text`,
);

/** @throws InvalidRequest NOT_FOUND */
export async function findItem(db: Query, tenantId: string, sku: string): Promise<Stock> {
  const { rows } = await db.query<Stock>({ ...findStock, values: [tenantId, sku] });
  return rows[0] ?? notListed();
}

const listStock = statement(
  'inventory.list-stock',
  `insert into stock (tenant_id, sku, on_hand, unit_price, currency)
   values ($1::text, $2::text, 0, $3::bigint, $4::text) on conflict (tenant_id, sku) do nothing`,
);

const lockItem = statement(
  'inventory.lock-item',
  `select ${COLUMNS} from stock where tenant_id = $1::text and sku = $2::text for update`,
);

// The entry and what it is of, in one statement.
const changeItem = statement(
  'inventory.change-item',
  `with entry as (
     insert into stock_entries (tenant_id, sku, entry_key, kind, delta, before, after, proof)
     values ($1::text, $2::text, $6::text, $7::text, $8::bigint, $9::jsonb, $10::jsonb, $11::text)
   )
   update stock set on_hand = $3::bigint, unit_price = $4::bigint, currency = $5::text, version = version + 1
    where tenant_id = $1::text and sku = $2::text
   returning ${COLUMNS}`,
);

/** What is to be set of an item; what is absent stays as it is. */
export interface ItemChange {
  sku: string;
  onHand?: number | undefined;
  unitPrice?: number | undefined;
  currency?: string | undefined;
}

/** What an item must be like for a change to be made. */
export interface ItemCondition {
  /** One of these; empty: any. */
  versions: number[];
  listed: boolean;
}

/** By which a change is made. */
export interface ChangeCall {
  key: string;
  /** That its caller has decided it; empty from one that can't prove it. */
  proof: string;
}

/**
 * Lists an item, or sets what is given of it, once per key; orders that hold stock keep the price they were given. The
 * condition is judged under the row's lock.
 * @throws InvalidRequest NOT_FOUND when it is not listed, and price or currency is missing to list it
 */
export async function putItem(
  tx: Transaction,
  tenantId: string,
  change: ItemChange,
  { condition, key, proof }: { condition: ItemCondition } & ChangeCall,
): Promise<EffectOutcome<ChangedStock, 'VERSION_CHANGED' | 'CONFLICT'>> {
  const { sku, ...members } = change;
  const listed = await lock(tx, tenantId, sku);
  // @guard K8 the entry of a set: "(await isCounted(tx, tenantId, sku, key))" -> "false"
  if (listed !== undefined && (await isCounted(tx, tenantId, sku, key))) return counted(listed);
  if (!isMet(condition, listed)) {
    return { kind: 'refused', reason: 'VERSION_CHANGED', message: reasons.VERSION_CHANGED.detail };
  }
  const before = listed ?? (await list(tx, tenantId, change));
  const { onHand = before.onHand, unitPrice = before.unitPrice, currency = before.currency } = members;
  if (onHand < before.reserved) {
    const message = `on_hand: orders hold ${before.reserved} of it: send at least that many`;
    return { kind: 'refused', reason: 'CONFLICT', message };
  }
  const after = { ...before, onHand, unitPrice, currency, version: before.version + 1 };
  const written = { key, proof, kind: 'set' as const, before, after, members };
  const stock = await writeChange(tx, tenantId, written);
  return { kind: 'completed', result: { stock, before } };
}

function counted(stock: Stock): EffectOutcome<ChangedStock, never> {
  return { kind: 'completed', result: { stock } };
}

function isMet({ versions, listed }: ItemCondition, item: Stock | undefined): boolean {
  if (item === undefined) return !listed && versions.length === 0;
  // @guard K8 the version that a set was decided by: "versions.includes(item.version)" -> "true"
  return versions.length === 0 || versions.includes(item.version);
}

/** The item as it is before its first count. */
async function list(tx: Transaction, tenantId: string, { sku, unitPrice, currency }: ItemChange): Promise<Stock> {
  if (unitPrice === undefined || currency === undefined) {
    throw new InvalidRequest(
      'sku',
      'the catalogue does not list it: send its price and currency to list it',
      'NOT_FOUND',
    );
  }
  await tx.query({ ...listStock, values: [tenantId, sku, unitPrice, currency] });
  return await lockListed(tx, tenantId, sku);
}

interface WrittenChange extends ChangeCall {
  kind: 'set' | 'adjust';
  before: Stock;
  after: Stock;
  /** Of a set: what was given, so that the entry says what it replaced. */
  members?: Omit<ItemChange, 'sku'>;
}

async function writeChange(
  tx: Transaction,
  tenantId: string,
  { key, proof, kind, before, after, members }: WrittenChange,
): Promise<Stock> {
  const { sku, onHand, unitPrice, currency } = after;
  const said = (item: Stock) => {
    if (members === undefined) return null;
    const names = (['onHand', 'unitPrice', 'currency'] as const).filter((name) => members[name] !== undefined);
    return JSON.stringify(Object.fromEntries([...names, 'version' as const].map((name) => [name, item[name]])));
  };
  const entry = [key, kind, onHand - before.onHand, said(before), said(after), proof];
  const { rows } = await tx.query<Stock>({
    ...changeItem,
    values: [tenantId, sku, onHand, unitPrice, currency, ...entry],
  });
  return rows[0] ?? notListed();
}

const hasEntry = statement(
  'inventory.has-entry',
  `select true from stock_entries where tenant_id = $1::text and sku = $2::text and entry_key = $3::text`,
);

/** Adds `delta` to what is on hand, once per key. @throws InvalidRequest NOT_FOUND */
export async function adjustItem(
  tx: Transaction,
  tenantId: string,
  sku: string,
  delta: number,
  { key, proof }: ChangeCall,
): Promise<EffectOutcome<ChangedStock, 'OUT_OF_STOCK'>> {
  const before = await lockListed(tx, tenantId, sku);
  if (await isCounted(tx, tenantId, sku, key)) return counted(before);
  const onHand = before.onHand + delta;
  if (onHand < before.reserved) {
    const message = `${before.onHand - before.reserved} of ${sku} are free, so at most that many can be taken`;
    return { kind: 'refused', reason: 'OUT_OF_STOCK', message };
  }
  const after = { ...before, onHand };
  const stock = await writeChange(tx, tenantId, { key, proof, kind: 'adjust', before, after });
  return { kind: 'completed', result: { stock, before } };
}

/** Asked before anything else is: what has counted already is done, whatever it would meet now (K5). */
async function isCounted(tx: Transaction, tenantId: string, sku: string, key: string): Promise<boolean> {
  return (await tx.query({ ...hasEntry, values: [tenantId, sku, key] })).rowCount === 1;
}

async function lock(tx: Transaction, tenantId: string, sku: string): Promise<Stock | undefined> {
  return (await tx.query<Stock>({ ...lockItem, values: [tenantId, sku] })).rows[0];
}

async function lockListed(tx: Transaction, tenantId: string, sku: string): Promise<Stock> {
  return (await lock(tx, tenantId, sku)) ?? notListed();
}

function notListed(): never {
  throw new InvalidRequest('sku', 'the catalogue does not list it: PUT it first', 'NOT_FOUND');
}
