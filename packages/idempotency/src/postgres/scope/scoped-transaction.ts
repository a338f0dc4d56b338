/*
 * A scoped transaction: one that runs foreign code, a handler and the ORM that it uses.
 *
 * K9  That code can't end the transaction. Its BEGIN, COMMIT and ROLLBACK become SAVEPOINT, RELEASE and ROLLBACK
 *     TO, at any depth and in every form of the driver's `query`. What has no savepoint to stand for it is refused before it
 *     is sent. An end that comes by another way is seen in the server's own answers: scope.ended is set, and the call fails.
 */

import type { EventEmitter } from 'node:events';
import { hostOf, type Pool, type Transaction, transaction } from '@holdfast/postgres';
import { withDeadline } from '@holdfast/resilience';
import { NestedTransactions, type QueryCall, TransactionControlRefused } from './nested-transactions.ts';

/** An effect that took too long; everything it had written is rolled back, so the same key may be sent again. */
export class EffectTimeout extends Error {
  override name = 'EffectTimeout';
  constructor(ms: number) {
    super(`the effect did not end within ${ms} ms and was rolled back: do slow work outside the transaction`);
  }
}

/**
 * A handler has ended its scoped transaction, past the guard: what it wrote may be committed, without an answer. The key
 * never runs again by itself.
 */
export class TransactionEnded extends Error {
  override name = 'TransactionEnded';
  /** `earlier`: by an earlier attempt under the same key; nothing was run this time. */
  readonly when: 'now' | 'earlier';
  constructor(message: string, when: 'now' | 'earlier', cause?: unknown) {
    super(message, { cause });
    this.when = when;
  }
}

const ENDED_NOW =
  'the handler ended its transaction: its effect may be committed without an answer. Write through the client it was given only, return to commit and throw to roll back';

export function transactionEnded(cause?: unknown): TransactionEnded {
  return new TransactionEnded(ENDED_NOW, 'now', cause);
}

/** The limits of a scoped transaction. */
export interface Scope {
  /** Called once, as soon as the server has said that the transaction was ended by other code. */
  onEnded?: () => void;
  /** How long the work may take; undefined: as long as it likes. */
  timeoutMs?: number | undefined;
}

/**
 * Gives the transaction's client to `work`, for as long as that runs. Code that still uses it afterwards (a query that was not
 * awaited, a handler that was given up) gets an error, instead of writing into the next caller's transaction.
 *
 * @throws what `work` throws; EffectTimeout; TransactionEnded when the transaction is no longer the same
 */
export async function runInScopedTransaction<T>(
  tx: Transaction,
  { onEnded, timeoutMs }: Scope,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  let open = true;
  let ended = false;
  // Foreign code gets the connection as it is: its own statements are none of the libraries'.
  const host = hostOf(tx);
  const stopWatching = watchForEnd(host, () => {
    if (!ended) onEnded?.();
    ended = true;
  });
  const nested = new NestedTransactions(host);
  const scoped = scopedClient(host, nested, () => {
    if (!open) throw new Error('this transaction has ended: await every query before the handler returns');
  });
  try {
    const result = await (timeoutMs === undefined ? work(scoped) : endsInTime(work(scoped), timeoutMs));
    if (ended) throw transactionEnded();
    if (nested.areOpen) throw new TransactionControlRefused(LEFT_OPEN);
    return result;
  } catch (error) {
    if (ended && !(error instanceof TransactionEnded)) throw transactionEnded(error);
    throw error;
  } finally {
    stopWatching();
    open = false;
  }
}

const LEFT_OPEN =
  'the handler returned while a nested transaction was open, and everything was rolled back: commit it, or roll it back, first';

/** Opens a transaction and scopes it: for handlers without a key, and for consumers that use an ORM. */
export async function scopedTransaction<T>(
  pool: Pool,
  work: (tx: Transaction) => Promise<T>,
  scope: Scope = {},
): Promise<T> {
  return await transaction(pool, (tx) => runInScopedTransaction(tx, scope, work));
}

async function endsInTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const ended = await withDeadline(timeoutMs, work);
  if (ended.kind === 'late') throw new EffectTimeout(timeoutMs);
  return ended.value;
}

/** Tags of commands that the scoped client never sends. ROLLBACK is also the tag of ROLLBACK TO. */
const ENDING_TAG = /^(COMMIT|BEGIN|START TRANSACTION|PREPARE TRANSACTION)$/;
const NO_TRANSACTION = 'I';

/** Listens to what the server says about the transaction, whatever code asked it. */
function watchForEnd(tx: Transaction, onEnded: () => void): () => void {
  const { connection } = tx as { connection?: EventEmitter };
  if (connection === undefined) return () => {};
  // @guard K9 the watch over a scoped transaction: "void (ENDING_TAG.test(text) &&" -> "void (text === null &&"
  const onComplete = ({ text }: { text: string }) => void (ENDING_TAG.test(text) && onEnded());
  // @guard K9 the watch over a scoped transaction: "void (status === NO_TRANSACTION &&" -> "void (status === null &&"
  const onReady = ({ status }: { status: string }) => void (status === NO_TRANSACTION && onEnded());
  connection.on('commandComplete', onComplete).on('readyForQuery', onReady);
  return () => void connection.off('commandComplete', onComplete).off('readyForQuery', onReady);
}

function scopedClient(tx: Transaction, nested: NestedTransactions, mustBeOpen: () => void): Transaction {
  // What is set on the scoped client must not stay on the pool's.
  const own: Record<PropertyKey, unknown> = {
    query: (...call: QueryCall) => {
      mustBeOpen();
      return nested.query(...call);
    },
    // An ORM's pool releases its client after each query. The transaction goes on.
    release: () => {},
    end: () =>
      Promise.reject(
        new TransactionControlRefused('this connection belongs to the scoped transaction, which releases it'),
      ),
  };
  const scoped: Transaction = new Proxy(tx, {
    get(client, property) {
      mustBeOpen();
      if (Object.hasOwn(own, property)) return own[property];
      const value: unknown = Reflect.get(client, property);
      if (typeof value !== 'function') return value;
      // Methods that return the client for chaining return the scoped one.
      return (...args: unknown[]) => {
        const returned: unknown = value.apply(client, args);
        return returned === client ? scoped : returned;
      };
    },
    set(_client, property, value) {
      own[property] = value;
      return true;
    },
  });
  return scoped;
}
