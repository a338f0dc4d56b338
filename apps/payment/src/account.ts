/*
 * Customers' accounts.
 *
 * A1  balance = the sum of its entries: each change of it writes one, in the same statement.
 * K5  An entry carries the key of its call in its primary key: it counts once, even when its claim is gone.
 *     Never below zero: held by the checks here, under the row's lock, and by the table's constraint.
 */
import type { EffectOutcome } from '@holdfast/participant';
import { type Query, statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';

export interface Account {
  customerId: string;
  /** Minor units. */
  balance: number;
  currency: string;
}

/** What a caller may set or adjust a balance to: far enough from 2^53 for refunds to be added on top. */
export const MAX_BALANCE = 1_000_000_000_000_000;

const COLUMNS = `customer_id as "customerId", balance, currency`;

const findAccountRow = statement(
  'payment.find-account',
  `select ${COLUMNS} from accounts where tenant_id = $1::text and customer_id = $2::text`,
);

/** @throws InvalidRequest NOT_FOUND */
export async function findAccount(db: Query, tenantId: string, customerId: string): Promise<Account> {
  const { rows } = await db.query<Account>({ ...findAccountRow, values: [tenantId, customerId] });
  return rows[0] ?? noAccount();
}

const lockAccountRow = statement(
  'payment.lock-account',
  `select ${COLUMNS} from accounts where tenant_id = $1::text and customer_id = $2::text for update`,
);

/** Locks the account until the transaction ends. @returns undefined when there is none */
export async function lockAccount(tx: Transaction, tenantId: string, customerId: string): Promise<Account | undefined> {
  const { rows } = await tx.query<Account>({ ...lockAccountRow, values: [tenantId, customerId] });
  return rows[0];
}

const lockAccountRows = statement(
  'payment.lock-accounts',
  `select a.tenant_id as "tenantId", a.customer_id as "customerId", a.balance, a.currency
     from (select distinct tenant_id, customer_id from unnest($1::text[], $2::text[]) as w (tenant_id, customer_id)
            order by tenant_id, customer_id) w,
          lateral (select tenant_id, customer_id, balance, currency from accounts a
                    where a.tenant_id = w.tenant_id and a.customer_id = w.customer_id for update) a`,
);

export type LockedAccount = Account & { tenantId: string };

/** Locks each of these customers' accounts once, in order of tenant and customer. @returns those that exist */
export async function lockAccounts(
  tx: Transaction,
  customers: { tenantId: string; customerId: string }[],
): Promise<LockedAccount[]> {
  if (customers.length === 0) return [];
  const values = [customers.map(({ tenantId }) => tenantId), customers.map(({ customerId }) => customerId)];
  const { rows } = await tx.query<LockedAccount>({ ...lockAccountRows, values });
  return rows;
}

const openAccount = statement(
  'payment.open-account',
  `insert into accounts (tenant_id, customer_id, balance, currency)
   values ($1::text, $2::text, 0, $3::text) on conflict (tenant_id, customer_id) do nothing`,
);

/**
 * Opens an account, or sets the balance of one.
 * @param entryKey a fresh identifier for the entry, should the balance change
 * @throws InvalidRequest CONFLICT when the account is in another currency
 */
export async function putAccount(
  tx: Transaction,
  tenantId: string,
  wanted: Account,
  entryKey: string,
): Promise<Account> {
  await tx.query({ ...openAccount, values: [tenantId, wanted.customerId, wanted.currency] });
  const before = (await lockAccount(tx, tenantId, wanted.customerId)) ?? noAccount();
  if (before.currency !== wanted.currency) {
    throw new InvalidRequest(
      'currency',
      `this account was opened in ${before.currency} and stays in it: send that, or use another customer_id`,
      'CONFLICT',
    );
  }
  const delta = wanted.balance - before.balance;
  if (delta === 0) return before;
  await postEntry(tx, { tenantId, customerId: wanted.customerId, entryKey, kind: 'set', delta });
  return wanted;
}

const hasEntry = statement(
  'payment.has-entry',
  `select true from account_entries where tenant_id = $1::text and customer_id = $2::text and entry_key = $3::text`,
);

/** Adds `delta` to the balance, once per key. @throws InvalidRequest NOT_FOUND, or CONFLICT beyond MAX_BALANCE */
export async function adjustAccount(
  tx: Transaction,
  tenantId: string,
  customerId: string,
  delta: number,
  key: string,
): Promise<EffectOutcome<Account, 'INSUFFICIENT_FUNDS'>> {
  const before = (await lockAccount(tx, tenantId, customerId)) ?? noAccount();
  // Asked before the balance is: an adjustment that has counted already is done, whatever it would meet now (K5).
  const counted = await tx.query({ ...hasEntry, values: [tenantId, customerId, key] });
  if (counted.rowCount === 1) return { kind: 'completed', result: before };
  const balance = before.balance + delta;
  if (balance < 0) {
    const message = `the account holds ${before.balance}, so at most that much can be taken`;
    return { kind: 'refused', reason: 'INSUFFICIENT_FUNDS', message };
  }
  if (balance > MAX_BALANCE) {
    throw new InvalidRequest('delta', `a balance can't pass ${MAX_BALANCE}: send less`, 'CONFLICT');
  }
  await postEntry(tx, { tenantId, customerId, entryKey: key, kind: 'adjust', delta });
  return { kind: 'completed', result: { ...before, balance } };
}

export interface Entry {
  tenantId: string;
  customerId: string;
  entryKey: string;
  kind: 'set' | 'adjust' | 'debit' | 'refund';
  /** Minor units; below zero takes. */
  delta: number;
}

const postEntryRow = statement(
  'payment.post-entry',
  `with entry as (
     insert into account_entries (tenant_id, customer_id, entry_key, kind, delta)
     values ($1::text, $2::text, $3::text, $4::text, $5::bigint)
     returning delta
   )
   update accounts set balance = balance + entry.delta from entry
    where accounts.tenant_id = $1::text and accounts.customer_id = $2::text`,
);

/**
 * Changes a balance and writes down why, in one statement. The caller holds the account's lock and has checked that
 * the balance stays in range.
 * @throws pg error 23505 when an entry with this key has counted already, 23514 when the balance leaves its range
 */
export async function postEntry(tx: Transaction, entry: Entry): Promise<void> {
  const { tenantId, customerId, entryKey, kind, delta } = entry;
  const { rowCount } = await tx.query({ ...postEntryRow, values: [tenantId, customerId, entryKey, kind, delta] });
  if (rowCount !== 1) throw new Error('an account vanished between two statements: is something deleting accounts?');
}

function noAccount(): never {
  throw new InvalidRequest('customer_id', 'this customer has no account: PUT it first', 'NOT_FOUND');
}
