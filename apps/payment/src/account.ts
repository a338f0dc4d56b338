/*
 * Customers' accounts.
 *
 * A1  balance = the sum of its entries: each change of it writes one, in the same statement.
 * K5  An entry carries the key of its call in its primary key: it counts once, even when its claim is gone.
 * K8  A set under a version changes nothing that came since that one; its entry says what it replaced.
 *     Never below zero: held by the checks here, under the row's lock, and by the table's constraint.
 */
import { reasons } from '@holdfast/contracts';
import type { EffectOutcome } from '@holdfast/participant';
import { type Query, statement, type Transaction } from '@holdfast/postgres';
import { InvalidRequest } from '@holdfast/rpc';

export interface Account {
  customerId: string;
  /** Minor units. */
  balance: number;
  currency: string;
  /** Rises with every change. */
  version: number;
}

/** What a call has made of an account; `before` is absent where it was made by an earlier call of the key. */
export interface ChangedAccount {
  account: Account;
  before?: Account;
}

/** What a caller may set or adjust a balance to: far enough from 2^53 for refunds to be added on top. */
export const MAX_BALANCE = 1_000_000_000_000_000;

const COLUMNS = `customer_id as "customerId", balance, currency, version`;

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

export type LockedAccount = Omit<Account, 'version'> & { tenantId: string };

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

/** What is to be set; `currency` is needed where there is no account yet. */
export interface AccountChange {
  customerId: string;
  balance: number;
  currency?: string | undefined;
}

/** What an account must be like for a change to be made. */
export interface AccountCondition {
  /** One of these; empty: any. */
  versions: number[];
  opened: boolean;
}

/** By which a change is made. */
export interface ChangeCall {
  key: string;
  /** That its caller has decided it; empty from one that can't prove it. */
  proof: string;
}

/**
 * Opens an account, or sets the balance of one, once per key. The condition is judged under the row's lock.
 * @throws InvalidRequest NOT_FOUND when there is none, and the currency is missing to open it
 */
export async function putAccount(
  tx: Transaction,
  tenantId: string,
  wanted: AccountChange,
  { condition, key, proof }: { condition: AccountCondition } & ChangeCall,
): Promise<EffectOutcome<ChangedAccount, 'VERSION_CHANGED' | 'CONFLICT'>> {
  const { customerId, balance } = wanted;
  const known = await lockAccount(tx, tenantId, customerId);
  // @guard K8 the entry of a set: "(await isCounted(tx, tenantId, customerId, key))" -> "false"
  if (known !== undefined && (await isCounted(tx, tenantId, customerId, key))) return counted(known);
  if (!isMet(condition, known)) {
    return { kind: 'refused', reason: 'VERSION_CHANGED', message: reasons.VERSION_CHANGED.detail };
  }
  const before = known ?? (await open(tx, tenantId, wanted));
  if (wanted.currency !== undefined && before.currency !== wanted.currency) {
    const message = `currency: this account was opened in ${before.currency} and stays in it: send that, or use another customer_id`;
    return { kind: 'refused', reason: 'CONFLICT', message };
  }
  const delta = balance - before.balance;
  const entry = { tenantId, customerId, entryKey: key, kind: 'set' as const, delta, proof, replaces: before };
  const version = await postEntry(tx, entry);
  return { kind: 'completed', result: { account: { ...before, balance, version }, before } };
}

function counted(account: Account): EffectOutcome<ChangedAccount, never> {
  return { kind: 'completed', result: { account } };
}

function isMet({ versions, opened }: AccountCondition, account: Account | undefined): boolean {
  if (account === undefined) return !opened && versions.length === 0;
  // @guard K8 the version that a set was decided by: "versions.includes(account.version)" -> "true"
  return versions.length === 0 || versions.includes(account.version);
}

/** The account as it is before its first entry. */
async function open(tx: Transaction, tenantId: string, { customerId, currency }: AccountChange): Promise<Account> {
  if (currency === undefined) {
    throw new InvalidRequest(
      'customer_id',
      'this customer has no account: send the currency to open it in',
      'NOT_FOUND',
    );
  }
  await tx.query({ ...openAccount, values: [tenantId, customerId, currency] });
  return (await lockAccount(tx, tenantId, customerId)) ?? noAccount();
}

const hasEntry = statement(
  'payment.has-entry',
  `select true from account_entries where tenant_id = $1::text and customer_id = $2::text and entry_key = $3::text`,
);

/** Asked before anything else is: what has counted already is done, whatever it would meet now (K5). */
async function isCounted(tx: Transaction, tenantId: string, customerId: string, key: string): Promise<boolean> {
  return (await tx.query({ ...hasEntry, values: [tenantId, customerId, key] })).rowCount === 1;
}

/** Adds `delta` to the balance, once per key. @throws InvalidRequest NOT_FOUND */
export async function adjustAccount(
  tx: Transaction,
  tenantId: string,
  customerId: string,
  delta: number,
  { key, proof }: ChangeCall,
): Promise<EffectOutcome<ChangedAccount, 'INSUFFICIENT_FUNDS' | 'CONFLICT'>> {
  const before = (await lockAccount(tx, tenantId, customerId)) ?? noAccount();
  if (await isCounted(tx, tenantId, customerId, key)) return counted(before);
  const balance = before.balance + delta;
  if (balance < 0) {
    const message = `the account holds ${before.balance}, so at most that much can be taken`;
    return { kind: 'refused', reason: 'INSUFFICIENT_FUNDS', message };
  }
  if (balance > MAX_BALANCE) {
    const message = `delta: a balance can't pass ${MAX_BALANCE}: send less`;
    return { kind: 'refused', reason: 'CONFLICT', message };
  }
  const version = await postEntry(tx, { tenantId, customerId, entryKey: key, kind: 'adjust', delta, proof });
  return { kind: 'completed', result: { account: { ...before, balance, version }, before } };
}

export interface Entry {
  tenantId: string;
  customerId: string;
  entryKey: string;
  kind: 'set' | 'adjust' | 'debit' | 'refund';
  /** Minor units; below zero takes. */
  delta: number;
  /** Of a set: the account that it found. */
  replaces?: Account;
  /** Of a set or an adjustment (ChangeCall). */
  proof?: string;
}

const postEntryRow = statement(
  'payment.post-entry',
  `with entry as (
     insert into account_entries (tenant_id, customer_id, entry_key, kind, delta, before, after, proof)
     values ($1::text, $2::text, $3::text, $4::text, $5::bigint, $6::jsonb, $7::jsonb, $8::text)
     returning delta
   )
   update accounts set balance = balance + entry.delta, version = version + 1 from entry
    where accounts.tenant_id = $1::text and accounts.customer_id = $2::text
   returning version`,
);

/**
 * Changes a balance and writes down why, in one statement. The caller holds the account's lock and has checked that
 * the balance stays in range.
 * @returns the account's new version
 * @throws pg error 23505 when an entry with this key has counted already, 23514 when the balance leaves its range
 */
export async function postEntry(tx: Transaction, entry: Entry): Promise<number> {
  const { tenantId, customerId, entryKey, kind, delta, replaces, proof = null } = entry;
  const said =
    replaces &&
    [
      { balance: replaces.balance, version: replaces.version },
      { balance: replaces.balance + delta, version: replaces.version + 1 },
    ].map((state) => JSON.stringify(state));
  const values = [tenantId, customerId, entryKey, kind, delta, ...(said ?? [null, null]), proof];
  const { rows } = await tx.query<{ version: number }>({ ...postEntryRow, values });
  if (rows[0] === undefined)
    throw new Error('an account vanished between two statements: is something deleting accounts?');
  return rows[0].version;
}

function noAccount(): never {
  throw new InvalidRequest('customer_id', 'this customer has no account: PUT it first', 'NOT_FOUND');
}
