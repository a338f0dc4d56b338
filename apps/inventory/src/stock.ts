/*
 * The catalogue: count and price of every item.
 *
 * A1  on_hand = the sum of its entries: each change of it writes one, in the same transaction.
 * K5  An adjustment's entry carries the call's key in its primary key: it counts once, even when its claim is gone.
 */
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
}

const COLUMNS = `sku, on_hand as "onHand", reserved, unit_price as "unitPrice", currency`;

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

const changeItem = statement(
  'inventory.change-item',
  `update stock set on_hand = $3::bigint, unit_price = $4::bigint, currency = $5::text
    where tenant_id = $1::text and sku = $2::text`,
);

const insertEntry = statement(
  'inventory.insert-entry',
  `insert into stock_entries (tenant_id, sku, entry_key, kind, delta)
   values ($1::text, $2::text, $3::text, $4::text, $5::bigint)`,
);

/**
 * Lists an item or sets it to what is given; orders that hold stock keep the price they were given.
 * @param entryKey a fresh identifier for the entry, should the count change
 * @throws InvalidRequest CONFLICT when orders hold more than `onHand`
 */
export async function putItem(
  tx: Transaction,
  tenantId: string,
  item: Omit<Stock, 'reserved'>,
  entryKey: string,
): Promise<Stock> {
  await tx.query({ ...listStock, values: [tenantId, item.sku, item.unitPrice, item.currency] });
  const before = await lockListed(tx, tenantId, item.sku);
  if (item.onHand < before.reserved) {
    throw new InvalidRequest('on_hand', `orders hold ${before.reserved} of it: send at least that many`, 'CONFLICT');
  }
  await tx.query({ ...changeItem, values: [tenantId, item.sku, item.onHand, item.unitPrice, item.currency] });
  const delta = item.onHand - before.onHand;
  if (delta !== 0) await tx.query({ ...insertEntry, values: [tenantId, item.sku, entryKey, 'set', delta] });
  return { ...item, reserved: before.reserved };
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
  key: string,
): Promise<EffectOutcome<Stock, 'OUT_OF_STOCK'>> {
  const before = await lockListed(tx, tenantId, sku);
  // Asked before the count is: an adjustment that has counted already is done, whatever it would meet now (K5).
  const counted = await tx.query({ ...hasEntry, values: [tenantId, sku, key] });
  if (counted.rowCount === 1) return { kind: 'completed', result: before };
  const onHand = before.onHand + delta;
  if (onHand < before.reserved) {
    const message = `${before.onHand - before.reserved} of ${sku} are free, so at most that many can be taken`;
    return { kind: 'refused', reason: 'OUT_OF_STOCK', message };
  }
  await tx.query({ ...insertEntry, values: [tenantId, sku, key, 'adjust', delta] });
  await tx.query({ ...changeItem, values: [tenantId, sku, onHand, before.unitPrice, before.currency] });
  return { kind: 'completed', result: { ...before, onHand } };
}

async function lockListed(tx: Transaction, tenantId: string, sku: string): Promise<Stock> {
  const { rows } = await tx.query<Stock>({ ...lockItem, values: [tenantId, sku] });
  return rows[0] ?? notListed();
}

function notListed(): never {
  throw new InvalidRequest('sku', 'the catalogue does not list it: PUT it first', 'NOT_FOUND');
}
