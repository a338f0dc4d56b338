import { type Query, statement } from '@holdfast/postgres';
import type { Tally } from '@holdfast/testing/audit';
import { pagesOf } from '@holdfast/testing/audit';
import { type AuditedOrder, type Book, bookKey, type ChargeState, type Stranger } from './audit-book.ts';
import { type RefundOwners, readPaymentRefunds } from './audit-refunds.ts';
import { ACCOUNT_SETS, auditSets } from './audit-sets.ts';
import type { Sums } from './audit-sums.ts';
import { auditChanges, type Prover } from './decisions/adjustments.ts';
import type { Doubt } from './decisions/doubts.ts';

export interface PaymentChecks {
  accounts: Tally;
  entries: Tally;
  charges: Tally;
  refunds: Tally;
  sets: Tally;
  adjustments: Tally;
}

interface Audited {
  book: Book;
  checks: PaymentChecks;
  strangers: Stranger[];
  doubts: Doubt[];
  prover: Prover;
  sums: Sums;
  /** Without the provider's ledger, what the charges say of cards is taken for it. */
  hasLedger: boolean;
}

/** @param db one snapshot of payment's database, so that accounts, entries and charges belong together */
export async function auditPayment(db: Query, audited: Audited): Promise<void> {
  await auditAccounts(db, audited.checks.accounts);
  await auditSets(db, ACCOUNT_SETS, audited.checks.sets);
  await auditChanges(db, 'account', audited.prover, audited.checks.adjustments);
  const owners = await readPaymentRefunds(db, audited, audited.checks.refunds);
  await readEntries(db, audited, owners);
  const cursor = (row: ChargeRow) => [row.tenantId, row.orderId];
  for await (const page of pagesOf<ChargeRow>(db, CHARGES, 2, cursor)) {
    for (const row of page) judgeCharge(row, audited);
    audited.checks.charges.look(page.length);
  }
}

interface AccountRow {
  tenantId: string;
  customerId: string;
  balance: number;
  entries: number;
}

const ACCOUNTS = statement(
  'audit.accounts',
  `select a.tenant_id as "tenantId", a.customer_id as "customerId", a.balance, e.entries
     from (select tenant_id, customer_id, balance from accounts where (tenant_id, customer_id) > ($1::text, $2::text)
            order by tenant_id, customer_id limit $3::integer) a
    cross join lateral (
      select coalesce(sum(delta), 0)::bigint as entries
        from account_entries e where e.tenant_id = a.tenant_id and e.customer_id = a.customer_id) e
    order by a.tenant_id, a.customer_id`,
);

async function auditAccounts(db: Query, check: Tally): Promise<void> {
  const cursor = (row: AccountRow) => [row.tenantId, row.customerId];
  for await (const page of pagesOf<AccountRow>(db, ACCOUNTS, 2, cursor)) {
    for (const { tenantId, customerId, balance, entries } of page) {
      const account = `${tenantId}:${customerId}`;
      if (balance !== entries) check.violation(account, `holds ${balance}, its entries add up to ${entries}`);
      if (balance < 0) check.violation(account, `is overdrawn: ${balance}`);
    }
    check.look(page.length);
  }
}

interface EntryRow {
  tenantId: string;
  customerId: string;
  entryKey: string;
  kind: 'set' | 'adjust' | 'debit' | 'refund';
  delta: number;
  /** Null when there is no such account. */
  currency: string | null;
}

const ENTRIES = statement(
  'audit.account-entries',
  `select e.tenant_id as "tenantId", e.customer_id as "customerId", e.entry_key as "entryKey", e.kind, e.delta, a.currency
     from account_entries e
     left join accounts a on a.tenant_id = e.tenant_id and a.customer_id = e.customer_id
    where (e.tenant_id, e.customer_id, e.entry_key) > ($1::text, $2::text, $3::text)
      and (e.kind in ('debit', 'refund') or a.currency is null)
    order by e.tenant_id, e.customer_id, e.entry_key limit $4::integer`,
);

const STEP_KEY = /^([^:]+):charge-payment(:undo)?$/;
const REFUND_KEY = /^([^:]+):refund-payment$/;

/** What accounts paid and got back, by order. */
async function readEntries(db: Query, audited: Audited, owners: RefundOwners): Promise<void> {
  const check = audited.checks.entries;
  const cursor = (row: EntryRow) => [row.tenantId, row.customerId, row.entryKey];
  for await (const page of pagesOf<EntryRow>(db, ENTRIES, 3, cursor)) {
    for (const row of page) readEntry(row, audited, owners);
    check.look(page.length);
  }
}

function readEntry(row: EntryRow, { book, checks, strangers, sums }: Audited, owners: RefundOwners): void {
  const { tenantId, customerId, entryKey, kind, delta, currency } = row;
  if (currency === null) {
    checks.entries.violation(`${tenantId}:${customerId}`, `a ${kind} of ${delta} and no account`);
    if (kind !== 'debit' && kind !== 'refund') return;
  }
  const [, refundId] = REFUND_KEY.exec(entryKey) ?? [];
  const [, placed, undo] = STEP_KEY.exec(entryKey) ?? [];
  const orderId = refundId === undefined ? placed : owners.get(bookKey(tenantId, refundId));
  const givesBack = refundId !== undefined || undo !== undefined;
  if (orderId === undefined || (kind === 'refund') !== givesBack || (kind === 'debit') !== delta < 0) {
    checks.entries.violation(
      `${tenantId}:${customerId}`,
      `a ${kind} of ${delta} belongs to no step of an order or refund`,
    );
    return;
  }
  const paid = () => sums.add(currency ?? '?', 'accounts', -delta);
  const order = book.get(bookKey(tenantId, orderId));
  if (order === undefined) {
    strangers.push({ tenantId, orderId, check: checks.entries, detail: `a ${kind} of ${delta}`, confirmed: paid });
    return;
  }
  order[kind === 'debit' ? 'debited' : 'credited'] += Math.abs(delta);
  if (order.expects !== 'unjudged') paid();
}

interface ChargeRow {
  tenantId: string;
  orderId: string;
  methodKind: 'balance' | 'card';
  amount: number;
  currency: string;
  state: ChargeState;
  /** Of its amount, where it was captured. */
  captured: number;
  paymentId: string | null;
  refunded: number;
  refunding: number;
}

const CHARGES = statement(
  'audit.charges',
  `select tenant_id as "tenantId", order_id as "orderId", method_kind as "methodKind", amount, currency, state,
          coalesce(captured_amount, amount) as captured, payment_id as "paymentId", refunded_amount as refunded, refunding_amount as refunding
     from charges where (tenant_id, order_id) > ($1::text, $2::text)
    order by tenant_id, order_id limit $3::integer`,
);

/** States that leave open whether money has been taken, or say that it has. */
const LIVE = new Set<ChargeState>(['created', 'authorized', 'capturing', 'captured', 'undoing']);

/** Taken, or set aside. */
const STANDING = new Set<ChargeState>(['authorized', 'capturing', 'captured']);

function judgeCharge(row: ChargeRow, { book, checks, strangers, doubts, sums, hasLedger }: Audited): void {
  const { tenantId, orderId, state } = row;
  const cardNet = row.methodKind === 'card' && state === 'captured' ? row.captured - row.refunded : 0;
  const paid = () => !hasLedger && sums.add(row.currency, 'provider', cardNet);
  const order = book.get(bookKey(tenantId, orderId));
  if (order === undefined) {
    if (LIVE.has(state)) {
      strangers.push({ tenantId, orderId, check: checks.charges, detail: `a charge is ${state}`, confirmed: paid });
    }
    return;
  }
  order.hasCharge = true;
  order.chargeState = state;
  if (state === 'captured') order.captured = row.captured;
  if (!hasLedger) order.cardNet += cardNet;
  judgeEntriesOf(order, row, checks.entries);
  judgeSums(order, row, checks.refunds);
  if (order.expects === 'unjudged') {
    if ((!LIVE.has(state) && state !== 'refused') || state === 'undoing') {
      doubts.push({ tenantId, orderId, needs: 'turned_back', detail: `its charge is ${state}` });
    }
    return;
  }
  paid();
  if (order.expects === 'none') {
    if (LIVE.has(state)) checks.charges.violation(orderId, `is turned back and its charge is still ${state}`);
    return;
  }
  if (!STANDING.has(state)) return;
  const charged = `${row.amount} ${row.currency}`;
  if (charged !== `${order.total} ${order.currency}`) {
    checks.charges.violation(orderId, `costs ${order.total} ${order.currency} and was charged ${charged}`);
  }
  if (order.byCard !== (row.methodKind === 'card')) {
    checks.charges.violation(orderId, `was to be paid by ${order.byCard ? 'card' : 'balance'}, not ${row.methodKind}`);
  }
  if (order.paymentId !== row.paymentId) {
    checks.charges.violation(orderId, `was told payment ${order.paymentId}, its charge has ${row.paymentId}`);
  }
}

/** A charge by balance is exactly its entries, at any instant; one by card has none. */
function judgeEntriesOf(order: AuditedOrder, row: ChargeRow, check: Tally): void {
  const byBalance = row.methodKind === 'balance' ? row.amount : 0;
  const debited = row.state === 'captured' || row.state === 'refunded' ? byBalance : 0;
  const credited = row.methodKind === 'balance' ? order.givenBack : 0;
  if (order.debited === debited && order.credited === credited) return;
  check.violation(
    order.id,
    `its charge is ${row.state}: ${debited} debited and ${credited} refunded were expected, ` +
      `its account has ${order.debited} and ${order.credited}`,
  );
}

/** M1: what is given back, with what is under way, is what the charge's refunds add up to, and not more than was captured. */
function judgeSums(order: AuditedOrder, row: ChargeRow, check: Tally): void {
  if (row.refunded !== order.givenBack || row.refunding !== order.underWay) {
    check.violation(
      order.id,
      `its charge says ${row.refunded} given back and ${row.refunding} under way, ` +
        `its refunds add up to ${order.givenBack} and ${order.underWay}`,
    );
  }
  if (order.givenBack > row.captured) {
    check.violation(order.id, `${order.givenBack} were given back of ${row.captured} captured`);
  }
  if (row.state === 'refunded' && order.givenBack !== row.captured) {
    check.violation(
      order.id,
      `is turned back: ${row.captured} were captured, its refunds add up to ${order.givenBack}`,
    );
  }
}
