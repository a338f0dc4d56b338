/*
 * Checks A1 over all databases and over the outside world's own ledgers, in both directions: every completed order has
 * exactly one of each effect, every order that was turned back has none, and every effect belongs to an order.
 *
 * It asks the services nothing: what it compares is what they have committed. It takes no lock, so it can be run on a
 * system that is working (`allowRunning`): the order book is read first, and only orders that had ended by then are
 * judged.
 */

import { type AuditReport, inSnapshot, type OrderCounts, type Tally, tally } from '@holdfast/testing/audit';
import { type AuditedOrder, type Book, judgeStrangers, readBook } from './audit-book.ts';
import { auditInventory, type Later } from './audit-inventory.ts';
import { auditCarrier, auditProvider, auditShipments } from './audit-outside.ts';
import { auditPayment } from './audit-payment.ts';
import { judgeLateRefunds, type LateRefund, readRefundBook } from './audit-refunds.ts';
import { createSums, type Sums } from './audit-sums.ts';
import { readProver } from './decisions/adjustments.ts';
import { judgeDisputes, readToldDisputes } from './decisions/disputes.ts';
import { judgeDoubts } from './decisions/doubts.ts';
import { leaveDecidedSince } from './decisions/settlements.ts';

/** Where the books are: one database per service. */
export interface AuditSources {
  orchestrator: string;
  inventory: string;
  payment: string;
  shipping: string;
  /** Of the sandbox, for the provider's and the carrier's ledgers. Null: what the services say of them is believed. */
  sandboxUrl: string | null;
}

/** @param urlOf of the database of each service */
export function booksAt(
  urlOf: (service: 'orchestrator' | 'inventory' | 'payment' | 'shipping') => string,
  sandboxUrl: string | null,
): AuditSources {
  return {
    orchestrator: urlOf('orchestrator'),
    inventory: urlOf('inventory'),
    payment: urlOf('payment'),
    shipping: urlOf('shipping'),
    sandboxUrl,
  };
}

export interface AuditOptions {
  /** Orders that have not ended are no violation: for a system that is working. Default false. */
  allowRunning?: boolean;
  /**
   * Dispatched orders whose stock is still held are no violation: shipping's word may be on its way, and is not given at all
   * where events are off. Default true; false for a system in which everything told should have been dealt with.
   */
  allowUnfulfilled?: boolean;
  /** Told after every page. */
  onProgress?: (check: string, looked: number) => void;
  /** Milliseconds, for `tookMs`. */
  now?: () => number;
}

/**
 * @returns what was looked at and every violation, of each check the first 20 with their orders
 * @throws Error when a database or the sandbox can't be read
 */
export async function auditSystem(sources: AuditSources, options: AuditOptions = {}): Promise<AuditReport> {
  const now = options.now ?? (() => performance.now());
  const startedAtMs = now();
  const checks = createChecks(options.onProgress ?? (() => {}));
  const orders: OrderCounts = { completed: 0, failed: 0, cancelled: 0, parked: 0, running: 0 };
  const later: Later = { strangers: [], doubts: [] };
  const { strangers, doubts } = later;
  const sums = createSums();
  const { sandboxUrl } = sources;

  // First of all: whatever had ended by now has all of its effects committed when they are read below.
  const { book, prover } = await inSnapshot(sources.orchestrator, async (db) => {
    const read = await readBook(db, checks.orders, orders, { allowRunning: options.allowRunning ?? false });
    await readRefundBook(db, read, checks.refunds);
    return { book: read, prover: await readProver(db) };
  });
  await inSnapshot(sources.inventory, (db) => auditInventory(db, book, checks, { ...later, prover }));
  await inSnapshot(sources.payment, (db) =>
    auditPayment(db, { book, checks, ...later, prover, sums, hasLedger: sandboxUrl !== null }),
  );
  const disputes = await inSnapshot(sources.payment, readToldDisputes);
  await inSnapshot(sources.shipping, (db) =>
    auditShipments(db, { book, check: checks.shipments, decisions: checks.decisions, ...later, prover }),
  );
  if (sandboxUrl !== null) {
    await auditProvider(sandboxUrl, { book, check: checks.provider, strangers, sums });
    await auditCarrier(sandboxUrl, { book, check: checks.carrier, strangers });
  }
  await inSnapshot(sources.orchestrator, async (db) => {
    await judgeStrangers(db, strangers);
    await judgeDoubts(db, doubts, checks.decisions);
    await leaveDecidedSince(db, book, sums);
    await judgeDisputes(db, disputes, checks.disputes);
  });
  const late: LateRefund[] = [];
  for (const [key, order] of book) {
    judgeWhatIsMissing(order, checks, sandboxUrl !== null, { tenantId: tenantIn(key), late, sums });
  }
  await inSnapshot(sources.payment, (db) => judgeLateRefunds(db, late));
  const dispatched = judgeDispatches(book, checks.dispatches, options.allowUnfulfilled ?? true);
  judgeMoney(book, sums, checks.money);

  const results = Object.values(checks)
    .map((check) => check.result())
    .filter((check) => sandboxUrl !== null || (check.name !== 'card provider' && check.name !== 'carrier'));
  return {
    violations: results.reduce((sum, check) => sum + check.violations, 0),
    checks: results,
    orders,
    dispatched,
    money: sums.lines(),
    tookMs: Math.round(now() - startedAtMs),
  };
}

type Checks = ReturnType<typeof createChecks>;

function createChecks(onLook: (name: string, looked: number) => void) {
  const check = (name: string, compares: string) => tally(name, compares, onLook);
  return {
    orders: check('orders', 'every accepted order has its saga, and has ended or is parked'),
    reservations: check(
      'reservations',
      'completed: exactly one held or fulfilled; turned back: none; none without an order',
    ),
    totals: check('totals', 'order total = quantity × unit price of its reservation + its lines = what was shown'),
    stock: check('stock', 'on hand = sum of entries; reserved = held by orders; 0 <= reserved <= on hand'),
    charges: check(
      'charges',
      'completed: exactly one, of the total, captured unless it is to be at dispatch; turned back: none',
    ),
    accounts: check('accounts', 'balance = sum of entries >= 0'),
    entries: check('account entries', 'debits and refunds = the charges by balance and their refunds, order by order'),
    sets: check('sets', 'what was set again without a key or a version undid nothing that came in between'),
    adjustments: check(
      'adjustments',
      'every set and adjustment carries a proof of the orchestrator; prices are what was set',
    ),
    decisions: check('decisions', 'no refund, release, restock or dispatch that no saga, or no key of it, has decided'),
    disputes: check('disputes', 'what payment has told of a dispute is what its order shows'),
    refunds: check('refunds', 'sagas, payment and provider agree; given back + under way <= captured'),
    provider: check(
      'card provider',
      'its ledger: captured − refunded = what the completed order owes less its refunds, else 0',
    ),
    shipments: check(
      'shipments',
      'completed: exactly one booked or dispatched; turned back: none; none without an order',
    ),
    dispatches: check('dispatches', 'fulfilled stock was dispatched; what was dispatched is fulfilled, soon'),
    carrier: check('carrier', 'its ledger: one booking per completed order, none else'),
    money: check('money', 'captured − refunded, provider and accounts = what completed orders owe less their refunds'),
  };
}

/** What has not been seen of a completed order although everything has been read. */
function judgeWhatIsMissing(order: AuditedOrder, checks: Checks, hasLedgers: boolean, outside: Outside): void {
  // An entry without a charge is wrong whatever becomes of the order: both are one transaction.
  if (!order.hasCharge && order.debited + order.credited > 0) {
    checks.entries.violation(order.id, `${order.debited} debited and ${order.credited} refunded without a charge`);
  }
  if (order.expects !== 'one') return;
  if (!order.isHeld) checks.reservations.violation(order.id, 'is completed and holds no stock');
  judgeCapture(order, checks.charges);
  if (order.shippedBy === 'nobody') checks.shipments.violation(order.id, 'is completed and has no booked shipment');
  if (!hasLedgers) return;
  judgeCard(order, checks.provider, outside);
  if (order.shippedBy === 'carrier' && !order.bookedAtCarrier) {
    checks.carrier.violation(order.id, 'is completed and the carrier knows no booking');
  }
  if (order.shippedBy === 'us' && order.bookedAtCarrier) {
    checks.carrier.violation(order.id, 'is shipped twice: by ourselves and by the carrier');
  }
}

/** Captured at once, or when it was decided so, and not before. */
function judgeCapture({ id, capture, chargeState, captured, owed, total }: AuditedOrder, check: Tally): void {
  const isCaptured = chargeState === 'captured';
  if (capture === 'at-once' || capture === 'captured') {
    if (!isCaptured) check.violation(id, 'is completed and has no captured charge');
    else if (capture === 'captured' && captured !== owed)
      check.violation(id, `has ${captured} captured, and ${owed} were decided`);
    return;
  }
  // What costs nothing is captured with the order.
  if (chargeState === 'authorized' || chargeState === 'expired' || (isCaptured && total === 0)) return;
  check.violation(id, `is completed and not captured, and its charge is ${chargeState ?? 'missing'}`);
}

/** Whatever became of the order: inventory fulfils what shipping has told it, and nothing else. */
function judgeDispatches(book: Book, check: Tally, allowUnfulfilled: boolean): AuditReport['dispatched'] {
  const counts = { fulfilled: 0, unfulfilled: 0 };
  check.look(book.size);
  for (const { id, isHeld, isFulfilled, isDispatched } of book.values()) {
    if (isFulfilled && !isDispatched)
      check.violation(id, 'has its stock fulfilled, and its shipment was not dispatched');
    if (isDispatched && isFulfilled) counts.fulfilled += 1;
    if (!isDispatched || isFulfilled || !isHeld) continue;
    counts.unfulfilled += 1;
    if (!allowUnfulfilled) check.violation(id, 'was dispatched, and its stock is still held');
  }
  return counts;
}

interface Outside {
  tenantId: string;
  late: LateRefund[];
  sums: Sums;
}

function judgeCard(order: AuditedOrder, check: Tally, { tenantId, late, sums }: Outside): void {
  const expected = order.byCard ? order.owed - order.givenBack : 0;
  if (order.liveIntents > 1) check.violation(order.id, `was paid for by ${order.liveIntents} payment intents`);
  if (order.cardNet === expected) return;
  const wrong = () => check.violation(order.id, `the card provider took ${order.cardNet}, ${expected} were expected`);
  // Refunded there by hand, and not learned yet; or by us, since payment was read.
  const unlearned = Math.max(order.refundedElsewhere - order.givenElsewhere, 0);
  const more = expected - order.cardNet - unlearned;
  if (order.cardNet > expected || !order.byCard) {
    wrong();
    return;
  }
  const missing = expected - order.cardNet;
  sums.add(order.currency, 'provider', missing);
  const unexplained = () => {
    sums.add(order.currency, 'provider', -missing);
    wrong();
  };
  if (more > 0) late.push({ tenantId, order, more, unexplained });
}

function tenantIn(key: string): string {
  return key.slice(0, key.lastIndexOf(':'));
}

function judgeMoney(book: Book, sums: Sums, check: Tally): void {
  for (const order of book.values()) {
    if (order.expects !== 'one') continue;
    sums.add(order.currency, 'completed', order.owed);
    sums.add(order.currency, 'refunded', order.givenBack);
  }
  const lines = sums.lines();
  check.look(lines.length);
  for (const { currency, completed, refunded, accounts, provider } of lines) {
    if (accounts + provider === completed - refunded) continue;
    const taken = `${accounts + provider} were taken (accounts ${accounts}, provider ${provider})`;
    check.violation(currency, `completed orders cost ${completed}, ${refunded} of it given back; ${taken}`);
  }
}
