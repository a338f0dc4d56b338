/*
 * Running an undo under its key. An undo never refuses: there may be nothing to undo, and that too is an answer (G11).
 *
 * K3  The act is sealed in the same transaction that claims the undo, under the order's fence: an act that comes
 *     later, or that is still calling out, can't be stored any more.
 * G12 Act and undo at the same instant meet at the fence's row: either the act committed and is undone, or it is sealed.
 */
import type { Pool, Transaction } from '@holdfast/postgres';
import { actKeyOf } from '../core/key.ts';
import type { Flights } from '../core/single-flight.ts';
import { type Claim, claim, complete, release, type SealedFrom, seal } from './claim.ts';
import { markingEnds } from './ended-claims.ts';
import { heldBy, type KeyedCall, oneAtATime, outcomeOfMet, RolledBack, transactionOr } from './run-act.ts';
import { runInScopedTransaction } from './scoped-transaction.ts';

export type UndoOutcome =
  | { kind: 'executed'; answer: Buffer; replayed: boolean }
  | { kind: 'fenced' }
  | { kind: 'reused'; differing: string[] }
  | { kind: 'in_flight' }
  | { kind: 'unknown'; detail: string };

/** Undoes an effect that lives in this database. `undo` gets what the act was, and returns the answer to store. */
export async function runUndo(
  pool: Pool,
  flights: Flights,
  call: KeyedCall,
  actOperation: string,
  undo: (tx: Transaction, act: SealedFrom) => Promise<Buffer>,
): Promise<UndoOutcome> {
  return await runAnyUndo(pool, flights, call, actOperation, {
    prepare: async (tx, act) => ({ kind: 'done', answer: await undo(tx, act) }),
    perform: () => Promise.reject(new Error('an undo inside the database has nothing to perform')),
    record: () => Promise.reject(new Error('an undo inside the database has nothing to record')),
  });
}

export interface OutsideUndo<P, R> {
  leaseMs: number;
  /** In the transaction that seals: undo what lives here and answer, or plan what must be undone outside. */
  prepare(tx: Transaction, act: SealedFrom): Promise<{ kind: 'perform'; plan: P } | { kind: 'done'; answer: Buffer }>;
  perform(plan: P, held: Claim): Promise<{ kind: 'known'; result: R } | { kind: 'unknown'; detail: string }>;
  record(tx: Transaction, result: R): Promise<Buffer>;
}

/** Undoes an effect that lives outside this database. @throws what the database throws */
export async function runOutsideUndo<P, R>(
  pool: Pool,
  flights: Flights,
  call: KeyedCall,
  actOperation: string,
  undo: OutsideUndo<P, R>,
): Promise<UndoOutcome> {
  return await runAnyUndo(pool, flights, call, actOperation, undo);
}

/** Without a lease where the effect lives in this database: its claim is settled in the transaction that takes it. */
type AnyUndo<P, R> = Omit<OutsideUndo<P, R>, 'leaseMs'> & { leaseMs?: number };

async function runAnyUndo<P, R>(
  pool: Pool,
  flights: Flights,
  call: KeyedCall,
  actOperation: string,
  undo: AnyUndo<P, R>,
): Promise<UndoOutcome> {
  const { waitMs: _, ...asked } = call;
  const request = undo.leaseMs === undefined ? asked : { ...asked, leaseMs: undo.leaseMs };
  return await oneAtATime(flights, call, async () => {
    const begun = await markingEnds(pool, request, (onEnded) =>
      transactionOr(pool, async (tx) => {
        const met = await claim(tx, request);
        const known = outcomeOfMet(met);
        if (known !== undefined) return undoOutcome(known);
        const held = heldBy(met);
        const act = await seal(tx, call.tenantId, actKeyOf(call.key), actOperation);
        const prepared = await runInScopedTransaction(tx, { onEnded }, (lent) => undo.prepare(lent, act));
        if (prepared.kind === 'perform') return { kind: 'perform' as const, plan: prepared.plan, held };
        await mustComplete(tx, held, prepared.answer);
        return { kind: 'executed' as const, answer: prepared.answer, replayed: false };
      }),
    );
    if (begun.kind !== 'perform') return begun;
    // crash here: sealed, the undo in flight; the next attempt resumes it, and asks what is left to undo.
    const performed = await undo.perform(begun.plan, begun.held);
    if (performed.kind === 'unknown') {
      await release(pool, begun.held);
      return performed;
    }
    return await transactionOr<UndoOutcome>(pool, async (tx) => {
      const answer = await runInScopedTransaction(tx, {}, (lent) => undo.record(lent, performed.result));
      await mustComplete(tx, begun.held, answer);
      return { kind: 'executed' as const, answer, replayed: false };
    });
  });
}

// `refused` and `sealed` are never written to an undo's key by this package.
function undoOutcome(known: NonNullable<ReturnType<typeof outcomeOfMet>>): UndoOutcome {
  if (known.kind === 'refused' || known.kind === 'sealed' || known.kind === 'expired')
    throw new Error(`an undo’s key is ${known.kind}: it is not an undo’s`);
  return known;
}

async function mustComplete(tx: Transaction, held: Claim, answer: Buffer): Promise<void> {
  if (await complete(tx, held, answer)) return;
  throw new RolledBack<UndoOutcome>({ kind: 'unknown', detail: 'another attempt has taken this undo over' });
}
