/*
 * A transaction that is lent to code of somebody else: a handler, and the ORM that it uses.
 *
 * K9  The code that was lent the transaction can't end it. Its BEGIN, COMMIT and ROLLBACK become SAVEPOINT, RELEASE and ROLLBACK
 *     TO, at any depth and in every form of the driver's `query`. What has no savepoint to stand for it is refused before it
 *     is sent. An end that comes by another way is seen in the server's own answers: scope.ended is set, and the call fails.
 */
import type { EventEmitter } from 'node:events';
import { type Pool, type Transaction, transaction } from '@holdfast/postgres';
import { controlIn, type TransactionControl } from './transaction-control.ts';

/** An effect that took too long; everything it had written is rolled back, so the same key may be sent again. */
export class EffectTimeout extends Error {
  override name = 'EffectTimeout';
  constructor(ms: number) {
    super(`the effect did not end within ${ms} ms and was rolled back: do slow work outside the transaction`);
  }
}

/** A statement that was not sent, because it would have ended or changed the lent transaction. Nothing was done. */
export class TransactionControlRefused extends Error {
  override name = 'TransactionControlRefused';
}

/**
 * A handler has ended the transaction it was lent, past the guard: what it wrote may be committed, without an answer. The key
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
  'the handler ended the transaction it was lent: its effect may be committed without an answer. Write through the lent client only, return to commit and throw to roll back';

export function transactionEnded(cause?: unknown): TransactionEnded {
  return new TransactionEnded(ENDED_NOW, 'now', cause);
}

/** How a transaction is lent. */
export interface Scope {
  /** Called once, as soon as the server has said that the transaction was ended by other code. */
  onEnded?: () => void;
  /** How long the work may take; undefined: as long as it likes. */
  timeoutMs?: number | undefined;
}

/**
 * Lends the transaction's client for as long as `work` runs. Code that still uses it afterwards (a query that was not
 * awaited, a handler that was given up) gets an error, instead of writing into the next caller's transaction.
 *
 * @throws what `work` throws; EffectTimeout; TransactionEnded when the transaction is not the one that was lent any more
 */
export async function runInScopedTransaction<T>(
  tx: Transaction,
  { onEnded, timeoutMs }: Scope,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  let open = true;
  let ended = false;
  const stopWatching = watchForEnd(tx, () => {
    if (!ended) onEnded?.();
    ended = true;
  });
  const lent = lentClient(tx, () => {
    if (!open) throw new Error('this transaction has ended: await every query before the handler returns');
  });
  try {
    const result = await (timeoutMs === undefined ? work(lent) : endsInTime(work(lent), timeoutMs));
    if (ended) throw transactionEnded();
    return result;
  } catch (error) {
    if (ended && !(error instanceof TransactionEnded)) throw transactionEnded(error);
    throw error;
  } finally {
    stopWatching();
    open = false;
  }
}

/** A transaction of its own, lent in the same way: for handlers without a key, and for consumers that use an ORM. */
export async function scopedTransaction<T>(
  pool: Pool,
  work: (tx: Transaction) => Promise<T>,
  scope: Scope = {},
): Promise<T> {
  return await transaction(pool, (tx) => runInScopedTransaction(tx, scope, work));
}

/** For our own code, which is not watched: it costs no look at the server. @throws TransactionEnded */
export function mustBeInTransaction(tx: Transaction): void {
  if (tx.getTransactionStatus() === NO_TRANSACTION) throw transactionEnded();
}

async function endsInTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new EffectTimeout(timeoutMs)), timeoutMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tags of commands that the lent client never sends while it is lent. ROLLBACK is also the tag of ROLLBACK TO. */
const ENDING_TAG = /^(COMMIT|BEGIN|START TRANSACTION|PREPARE TRANSACTION)$/;
const NO_TRANSACTION = 'I';

/** Listens to what the server says about the transaction, whatever code asked it. */
function watchForEnd(tx: Transaction, onEnded: () => void): () => void {
  const { connection } = tx as { connection?: EventEmitter };
  if (connection === undefined) return () => {};
  const onComplete = ({ text }: { text: string }) => void (ENDING_TAG.test(text) && onEnded());
  const onReady = ({ status }: { status: string }) => void (status === NO_TRANSACTION && onEnded());
  connection.on('commandComplete', onComplete).on('readyForQuery', onReady);
  return () => void connection.off('commandComplete', onComplete).off('readyForQuery', onReady);
}

type QueryCall = [asked: unknown, ...rest: unknown[]];

function lentClient(tx: Transaction, mustBeOpen: () => void): Transaction {
  const nested = new NestedTransactions(tx);
  // What is set on the lent client must not stay on the pool's.
  const own: Record<PropertyKey, unknown> = {
    query: (...call: QueryCall) => {
      mustBeOpen();
      return nested.query(...call);
    },
    // An ORM's pool gives back what it was lent after each query. The transaction stays where it is.
    release: () => {},
    end: () =>
      Promise.reject(new TransactionControlRefused('this connection is lent: the call that lent it closes it')),
  };
  const lent: Transaction = new Proxy(tx, {
    get(client, property) {
      mustBeOpen();
      if (Object.hasOwn(own, property)) return own[property];
      const value: unknown = Reflect.get(client, property);
      if (typeof value !== 'function') return value;
      // Methods that return the client for chaining return the lent one.
      return (...args: unknown[]) => {
        const returned: unknown = value.apply(client, args);
        return returned === client ? lent : returned;
      };
    },
    set(_client, property, value) {
      own[property] = value;
      return true;
    },
  });
  return lent;
}

const NOT_YOURS =
  'there is no nested transaction to end, and the one around it belongs to the idempotent call: return to commit it, throw to roll it back';

/** Sends what the lent client is asked, with savepoints for nested transactions. */
class NestedTransactions {
  readonly #client: Transaction;
  /** Savepoints of the nested transactions that are open, the innermost last. */
  readonly #open: string[] = [];
  #begun = 0;

  constructor(client: Transaction) {
    this.#client = client;
  }

  query(...call: QueryCall): unknown {
    const text = textOf(call[0]);
    const control = text === undefined ? 'none' : controlIn(text);
    if (control === 'none') return this.#send(call);
    const translated = this.#translated(control);
    if ('refused' in translated) return failed(call, new TransactionControlRefused(translated.refused));
    return this.#sendTranslated(call, translated);
  }

  #translated(control: Exclude<TransactionControl, 'none'>): Translated | { refused: string } {
    if (typeof control === 'object') return control;
    if (control === 'begin') {
      this.#begun += 1;
      const savepoint = `holdfast_${this.#begun}`;
      this.#open.push(savepoint);
      return { text: `savepoint ${savepoint}`, onFailed: () => this.#close(savepoint) };
    }
    const savepoint = this.#open.pop();
    if (savepoint === undefined) return { refused: NOT_YOURS };
    // A commit that fails leaves the nested transaction to be rolled back, as the code around it will ask.
    if (control === 'commit') {
      return { text: `release savepoint ${savepoint}`, onFailed: () => void this.#open.push(savepoint) };
    }
    return {
      text: `rollback to savepoint ${savepoint}`,
      onFailed: () => {},
      // Rolled back to, a savepoint still stands, and a loop of them would stack up. It fails only with the rollback.
      afterwards: `release savepoint ${savepoint}`,
    };
  }

  #close(savepoint: string): void {
    const at = this.#open.lastIndexOf(savepoint);
    if (at >= 0) this.#open.splice(at, 1);
  }

  #sendTranslated(call: QueryCall, { text, onFailed, afterwards }: Translated): unknown {
    const [asked] = call;
    if (isSubmittable(asked)) {
      const handleError = asked.handleError.bind(asked);
      asked.text = text;
      asked.handleError = (...failure) => {
        onFailed();
        handleError(...failure);
      };
      this.#send(call);
      this.#sendAfter(afterwards);
      return asked;
    }
    const answered = this.#client.query(text);
    this.#sendAfter(afterwards);
    answered.catch(onFailed);
    const callback = callbackOf(call);
    if (callback === undefined) return answered;
    answered.then(
      (result) => process.nextTick(callback, null, result),
      (error: Error) => process.nextTick(callback, error),
    );
    return undefined;
  }

  #sendAfter(text: string | undefined): void {
    if (text !== undefined) this.#client.query(text).catch(() => {});
  }

  #send(call: QueryCall): unknown {
    return (this.#client.query as (...call: unknown[]) => unknown).apply(this.#client, call);
  }
}

interface Translated {
  text: string;
  onFailed: () => void;
  afterwards?: string;
}

/** A query that was made before, or a cursor: it sends itself. */
interface Submittable {
  submit: unknown;
  text?: unknown;
  callback?: unknown;
  handleError: (...failure: unknown[]) => void;
  /** pg-query-stream's. */
  cursor?: { text?: unknown };
}

function isSubmittable(asked: unknown): asked is Submittable {
  return typeof asked === 'object' && asked !== null && typeof (asked as Submittable).submit === 'function';
}

function textOf(asked: unknown): string | undefined {
  if (typeof asked === 'string') return asked;
  if (typeof asked !== 'object' || asked === null) return undefined;
  const { text, cursor } = asked as Partial<Submittable>;
  if (typeof text === 'string') return text;
  return typeof cursor?.text === 'string' ? cursor.text : undefined;
}

type Callback = (error: Error | null, result?: unknown) => void;

function callbackOf([asked, ...rest]: QueryCall): Callback | undefined {
  const last = rest.findLast((argument) => typeof argument === 'function');
  const own = typeof asked === 'object' ? (asked as { callback?: unknown }).callback : undefined;
  const callback = last ?? own;
  return typeof callback === 'function' ? (callback as Callback) : undefined;
}

/** Fails a query the way the driver does: its promise, its callback or the query itself hears of it. */
function failed(call: QueryCall, error: Error): unknown {
  const [asked] = call;
  const callback = callbackOf(call);
  if (callback !== undefined) {
    process.nextTick(callback, error);
    return isSubmittable(asked) ? asked : undefined;
  }
  if (!isSubmittable(asked)) return Promise.reject(error);
  process.nextTick(() => asked.handleError(error));
  return asked;
}
