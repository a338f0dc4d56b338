/*
 * The transactions that an effect begins and ends inside its scoped transaction.
 *
 * K9  BEGIN, COMMIT and ROLLBACK become SAVEPOINT, RELEASE and ROLLBACK TO, in every form of the driver's `query`: a text,
 *     settings, a query that submits itself; answered by a promise, a callback or events. What belongs to no nested transaction
 *     is refused before it is sent.
 */
import type { Transaction } from '@holdfast/postgres';
import { controlIn, type TransactionControl } from './transaction-control.ts';

/** A statement that was not sent, because it would have ended or changed the scoped transaction. Nothing was done. */
export class TransactionControlRefused extends Error {
  override name = 'TransactionControlRefused';
}

export type QueryCall = [asked: unknown, ...rest: unknown[]];

const NOT_YOURS =
  'there is no nested transaction to end, and the one around it belongs to the idempotent call: return to commit it, throw to roll it back';

/** Sends the queries of the scoped client, with savepoints for nested transactions. */
export class NestedTransactions {
  readonly #client: Transaction;
  /** Savepoints of the nested transactions that are open, the innermost last. */
  readonly #open: string[] = [];
  #begun = 0;

  constructor(client: Transaction) {
    this.#client = client;
  }

  get areOpen(): boolean {
    return this.#open.length > 0;
  }

  query(...call: QueryCall): unknown {
    const text = textOf(call[0]);
    const control = text === undefined ? 'none' : controlIn(text);
    // @guard K9 the guard of a scoped transaction: "if (control === 'none') return this.#send(call);" -> "if (control !== undefined) return this.#send(call);"
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
      followUp: `release savepoint ${savepoint}`,
    };
  }

  #close(savepoint: string): void {
    const at = this.#open.lastIndexOf(savepoint);
    if (at >= 0) this.#open.splice(at, 1);
  }

  #sendTranslated(call: QueryCall, { text, onFailed, followUp }: Translated): unknown {
    const [asked] = call;
    if (isSubmittable(asked)) {
      const handleError = asked.handleError.bind(asked);
      asked.text = text;
      asked.handleError = (...failure) => {
        onFailed();
        handleError(...failure);
      };
      this.#send(call);
      this.#sendAfter(followUp);
      return asked;
    }
    const answered = this.#client.query(text);
    this.#sendAfter(followUp);
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
  followUp?: string;
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

/** Fails a query the way the driver does: through its promise, its callback or the query itself. */
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
