/*
 * Running an act under its key, for effects in this database (runAct) and outside it (runOutsideAct).
 *
 * K1  runAct: claim, effect and stored answer are one transaction.
 *     runOutsideAct: prepare commits with the claim; perform() calls out with keys derived from ours and holds no
 *     connection (K7); record commits with the stored answer before anyone hears it.
 * K9  The transaction is lent so that the effect can't end it (scoped-transaction.ts).
 * S4  perform() that could not find out leaves the claim in flight and ends its lease: the next attempt asks.
 */
import { type Pool, type Transaction, transaction } from '@holdfast/postgres';
import type { Fingerprint } from '../core/fingerprint.ts';
import type { Flights } from '../core/single-flight.ts';
import { type Claim, type ClaimOutcome, type ClaimRequest, claim, complete, refuse, release } from './claim.ts';
import { markingEnds } from './ended-claims.ts';
import { runInScopedTransaction } from './scoped-transaction.ts';

/** One keyed call, as the border hands it in. */
export interface KeyedCall {
  tenantId: string;
  key: string;
  operation: string;
  fingerprint: Fingerprint;
  fence?: { orderId: string; epoch: number };
  /** How long a duplicate may wait for the running one (G5). */
  waitMs: number;
}

/** How an effect ended, for good. Both are stored and replayed. */
export type Settlement = { kind: 'done'; answer: Buffer } | { kind: 'refused'; answer: Buffer };

export type ActOutcome =
  | { kind: 'executed'; answer: Buffer; replayed: boolean }
  | { kind: 'refused'; answer: Buffer; replayed: boolean }
  | { kind: 'sealed' }
  /** It was executed; its answer is past its last day. */
  | { kind: 'expired' }
  | { kind: 'fenced' }
  | { kind: 'reused'; differing: string[] }
  | { kind: 'in_flight' }
  | { kind: 'unknown'; detail: string };

const POLL_MS = 50;

/** Carries an outcome out of a transaction that must be rolled back. */
export class RolledBack<T> extends Error {
  readonly outcome: T;
  constructor(outcome: T) {
    super('rolled back on purpose');
    this.outcome = outcome;
  }
}

/** Like transaction(), and `RolledBack` thrown inside becomes the result after the rollback. */
export function transactionOr<T>(pool: Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
  return rolledBackOr(transaction(pool, work));
}

/** What a transaction came to, or the outcome that it was rolled back with. */
export async function rolledBackOr<T>(ended: Promise<T>): Promise<T> {
  try {
    return await ended;
  } catch (error) {
    if (error instanceof RolledBack) return error.outcome as T;
    throw error;
  }
}

/** A claim that was met, as an outcome; undefined when the caller has the right to run. */
export function outcomeOfMet(met: ClaimOutcome): Exclude<ActOutcome, { kind: 'unknown' }> | undefined {
  switch (met.kind) {
    case 'claimed':
    case 'resumed':
      return undefined;
    case 'executed':
    case 'refused':
      return { ...met, replayed: true };
    case 'reused':
    case 'fenced':
      // Nothing may be left of such a call, not even a raised fence.
      throw new RolledBack(met);
    case 'in_flight':
      return { kind: 'in_flight' };
    case 'sealed':
    case 'expired':
      return met;
  }
}

/**
 * Runs an effect that lives in this database.
 * @param effect gets the open transaction; it must not call the network. It runs at most once per key.
 * @throws what the database throws; nothing has happened then, or (a lost commit) the same key will tell
 */
export async function runAct(
  pool: Pool,
  flights: Flights,
  call: KeyedCall,
  effect: (tx: Transaction) => Promise<Settlement>,
): Promise<ActOutcome> {
  return await oneAtATime(flights, call, () =>
    markingEnds(pool, claimRequest(call), (onEnded) =>
      transactionOr<ActOutcome>(pool, async (tx) => {
        const met = await claim(tx, claimRequest(call));
        const known = outcomeOfMet(met);
        if (known !== undefined) return known;
        return await store(tx, heldBy(met), await runInScopedTransaction(tx, { onEnded }, effect));
        // crash here: nothing is committed, the next attempt starts afresh. After the commit: the row answers.
      }),
    ),
  );
}

export interface OutsideAct<P, R> {
  /** How long one attempt keeps others from trying; longer than the provider's time-out. */
  leaseMs: number;
  /** In the claim's transaction: record what is about to be tried, or settle at once without calling out. */
  prepare(tx: Transaction, held: Claim): Promise<{ kind: 'perform'; plan: P } | Settlement>;
  /** Calls out, outside any transaction, under keys derived from the call's. Must first ask, when it may have been tried before. */
  perform(plan: P, held: Claim): Promise<{ kind: 'known'; result: R } | { kind: 'unknown'; detail: string }>;
  /**
   * Writes what came of it, in the transaction that stores the answer. `attach(tx, held)` tells whether the claim is still
   * ours; when it is not, whatever is written here is rolled back.
   */
  record(tx: Transaction, result: R, held: Claim): Promise<Settlement>;
}

/** Runs an effect that lives outside this database (K1, second half). @throws what the database throws */
export async function runOutsideAct<P, R>(
  pool: Pool,
  flights: Flights,
  call: KeyedCall,
  act: OutsideAct<P, R>,
): Promise<ActOutcome> {
  return await oneAtATime(flights, call, async () => {
    const begun = await transactionOr(pool, async (tx) => {
      const met = await claim(tx, { ...claimRequest(call), leaseMs: act.leaseMs });
      const known = outcomeOfMet(met);
      if (known !== undefined) return known;
      const held = heldBy(met);
      const prepared = await runInScopedTransaction(tx, {}, (lent) => act.prepare(lent, held));
      if (prepared.kind !== 'perform') return await store(tx, held, prepared);
      return { kind: 'perform' as const, plan: prepared.plan, held };
    });
    if (begun.kind !== 'perform') return begun;
    // crash here: the claim is in flight; when its lease has run out, the next attempt resumes and asks.
    const performed = await act.perform(begun.plan, begun.held);
    if (performed.kind === 'unknown') {
      await release(pool, begun.held);
      return performed;
    }
    // crash here: the effect exists, its answer isn't stored; the next attempt asks the provider and stores it.
    return await transactionOr<ActOutcome>(pool, async (tx) => {
      const settlement = await runInScopedTransaction(tx, {}, (lent) => act.record(lent, performed.result, begun.held));
      return await store(tx, begun.held, settlement);
    });
  });
}

export function heldBy(met: ClaimOutcome): Claim {
  if (met.kind !== 'claimed' && met.kind !== 'resumed') throw new Error(`no claim is held: ${met.kind}`);
  return met.claim;
}

function claimRequest(call: KeyedCall): ClaimRequest {
  const { waitMs: _, ...request } = call;
  return request;
}

/** Stores the answer; when the claim is no longer ours, everything in this transaction is undone. */
async function store(tx: Transaction, held: Claim, settlement: Settlement): Promise<ActOutcome> {
  const put = settlement.kind === 'done' ? complete : refuse;
  if (!(await put(tx, held, settlement.answer))) {
    throw new RolledBack<ActOutcome>({ kind: 'unknown', detail: 'another attempt has taken this key over' });
  }
  const kind = settlement.kind === 'done' ? 'executed' : 'refused';
  return { kind, answer: settlement.answer, replayed: false };
}

/** Duplicates wait up to `waitMs`, in this process or by looking again, holding nothing (K7). */
export async function oneAtATime<T extends { kind: string }>(
  flights: Flights,
  call: KeyedCall,
  attempt: () => Promise<T>,
): Promise<T | { kind: 'in_flight' }> {
  const deadlineAtMs = performance.now() + call.waitMs;
  const flightKey = `${call.tenantId} ${call.key}`;
  let leftMs = call.waitMs;
  for (;;) {
    const flight = await flights.run(flightKey, Math.max(leftMs, 1), attempt);
    if (flight.kind === 'busy') return { kind: 'in_flight' };
    if (flight.value.kind !== 'in_flight' || deadlineAtMs - performance.now() < POLL_MS) return flight.value;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    leftMs = deadlineAtMs - performance.now();
  }
}
