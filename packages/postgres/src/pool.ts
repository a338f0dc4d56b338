import pg from 'pg';
import { arrayText } from './array-text.ts';
import { numberTypes, statementTypes } from './value-types.ts';

export type Pool = pg.Pool;
/** What runs a statement: the pool (one statement, its own transaction) or a transaction's client. */
export type Query = Pick<pg.ClientBase, 'query'>;

export interface PoolOptions {
  databaseUrl: string;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  /** Connections at most. */
  max?: number;
  /** How long a caller waits for a free or new connection before it gets an error. */
  connectTimeoutMs?: number;
  /** How long a statement may wait for a row that another transaction holds (sqlstate 55P03 then). */
  lockTimeoutMs?: number;
  /** How long one statement may run. */
  statementTimeoutMs?: number;
  /** How long a transaction may sit idle before the server ends it: a paused process must not hold rows for ever. */
  idleInTransactionTimeoutMs?: number;
  /**
   * For services whose every statement finds its rows by key: no plan may scan or hash a table. A prepared statement
   * can settle on a generic plan, and one made while a table was still empty would scan it whole ever after.
   */
  keyLookupsOnly?: boolean;
  /**
   * Sends a statement before the one before has been answered, where a transaction is written so (transactionAfter). A
   * statement that is never answered then closes its connection. Default false.
   */
  pipeline?: boolean;
  /** How values are read. Default: bigint as a number, which throws beyond 2^53 - 1; all others as the driver does. */
  types?: pg.CustomTypesConfig;
  /** Called when an idle connection breaks; the pool replaces it by itself. */
  onIdleError?: (error: Error) => void;
  /** Called with how long a caller has waited for its connection, or until it was told that there is none. */
  onAcquired?: (waitedMs: number) => void;
}

type Connected = Parameters<pg.Pool['connect']>[0];

/** Tells how long its callers wait for a connection. */
class TimedPool extends pg.Pool {
  readonly #onAcquired: (waitedMs: number) => void;

  constructor(config: pg.PoolConfig, onAcquired: (waitedMs: number) => void) {
    super(config);
    this.#onAcquired = onAcquired;
  }

  // The driver's own `query` comes by here too, with a callback.
  override connect(): Promise<pg.PoolClient>;
  override connect(connected: Connected): void;
  override connect(connected?: Connected): Promise<pg.PoolClient> | undefined {
    const askedAtMs = performance.now();
    if (connected === undefined) {
      return super.connect().finally(() => this.#onAcquired(performance.now() - askedAtMs));
    }
    super.connect((error, client, done) => {
      this.#onAcquired(performance.now() - askedAtMs);
      connected(error, client, done);
    });
    return undefined;
  }
}

/** Hands arrays on as text, see arrayText. */
class ArrayClient extends pg.Client {
  // The driver's overloads differ in what comes after the statement, which stays as it is.
  override query(...call: unknown[]): never {
    const [asked, ...rest] = call;
    const query = super.query as (...call: unknown[]) => never;
    return query.call(this, hasValues(asked) ? { ...asked, values: asked.values.map(plain) } : asked, ...rest);
  }
}

function hasValues(asked: unknown): asked is { values: unknown[] } {
  // What submits itself (a cursor, a query that was made before) is no bag of settings.
  if (typeof asked !== 'object' || asked === null || 'submit' in asked) return false;
  return 'values' in asked && Array.isArray(asked.values);
}

function plain(value: unknown): unknown {
  return Array.isArray(value) ? (arrayText(value) ?? value) : value;
}

/**
 * A bounded pool whose every wait has a deadline: for a connection, for a row, for a statement, and (upheld by the
 * server) for a transaction whose process was paused.
 */
export function createPool(options: PoolOptions): Pool {
  const settings = [
    `-c lock_timeout=${options.lockTimeoutMs ?? 1_000}`,
    `-c idle_in_transaction_session_timeout=${options.idleInTransactionTimeoutMs ?? 5_000}`,
  ];
  if (options.keyLookupsOnly) {
    for (const way of ['seqscan', 'hashjoin', 'mergejoin']) settings.push(`-c enable_${way}=off`);
    // By the default cost of a page, reading a whole index that is thought to be small is cheaper than ten look-ups.
    settings.push('-c random_page_cost=0.01', '-c jit=off');
    // There is one plan to be had, so it is made once. Left to itself, the server plans anew for every small batch, whose
    // arrays it counts, and pays more for that than for running it.
    settings.push('-c plan_cache_mode=force_generic_plan');
  }
  const statementTimeoutMs = options.statementTimeoutMs ?? 10_000;
  const config = {
    Client: ArrayClient,
    types: options.types ?? numberTypes,
    connectionString: options.databaseUrl,
    application_name: options.applicationName,
    max: options.max ?? 16,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 3_000,
    statement_timeout: statementTimeoutMs,
    // The server's time-out answers first; this one is for a server that answers nothing at all (a half-open socket).
    query_timeout: statementTimeoutMs + 2_000,
    keepAlive: true,
    pipeline: options.pipeline ?? false,
    options: settings.join(' '),
  };
  const pool = options.onAcquired === undefined ? new pg.Pool(config) : new TimedPool(config, options.onAcquired);
  pool.on('error', (error) => options.onIdleError?.(error));
  return pool;
}

/** For a program that is not ours: whatever it has set for all its connections holds here too, bigints are text. */
export function createHostPool(options: PoolOptions): Pool {
  return createPool({ types: pg.types, ...options });
}

/** A named statement: prepared once per connection, its name is what an operator sees in the server's statistics. */
export interface Statement {
  name: string;
  text: string;
  types: pg.CustomTypesConfig;
}

/** @param name unique in the process, in the form `module.what-it-does` */
export function statement(name: string, text: string): Statement {
  return { name, text, types: statementTypes };
}
