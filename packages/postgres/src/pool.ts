import type { EventEmitter } from 'node:events';
import pg from 'pg';
import { arrayText } from './array-text.ts';
import { type Prepare, type Session, startupOptions } from './session.ts';
import { classifyPostgresError, sqlstateOf } from './sqlstate.ts';
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
  /** Whether statements keep their names on the server. Default `auto`: openSession() finds out whether they can. */
  prepare?: Prepare | undefined;
  /** Called when an idle connection breaks; the pool replaces it by itself. */
  onIdleError?: (error: Error) => void;
  /** Called when the server says that it can't, whatever the data (sqlstate.ts): once in five seconds for each SQLSTATE. */
  onFault?: (fault: { sqlstate: string; message: string }) => void;
  /** Called with how long a caller has waited for its connection, or until it got an error. */
  onAcquired?: (waitedMs: number) => void;
}

type Connected = Parameters<pg.Pool['connect']>[0];

/** Reports how long its callers wait for a connection. */
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

/** Hands arrays on as text, see arrayText; and names to those servers only that keep them. */
function sessionClient(session: Session, onFault: PoolOptions['onFault']) {
  return class extends pg.Client {
    constructor(config?: pg.ClientConfig) {
      super(config);
      const { connection } = this as unknown as { connection: EventEmitter };
      connection.on('errorMessage', (error: Error) => noteFault(session, error, onFault));
    }

    // The driver's overloads differ in what comes after the statement, which stays as it is.
    override query(...call: unknown[]): never {
      const [asked, ...rest] = call;
      const query = super.query as (...call: unknown[]) => never;
      if (!isConfig(asked)) return query.call(this, asked, ...rest);
      const { name, values } = asked;
      const sent = { ...asked, name: session.isNamed ? name : undefined, values: values?.map(plain) };
      return query.call(this, sent, ...rest);
    }
  };
}

const SAID_EVERY_MS = 5_000;

function noteFault(session: Session, error: Error, onFault: PoolOptions['onFault']): void {
  const sqlstate = sqlstateOf(error);
  if (sqlstate === undefined || classifyPostgresError(error) !== 'unavailable') return;
  const nowMs = performance.now();
  if (sqlstate === '53100') session.fullAtMs = nowMs;
  // A pooler has come between us and the server since we looked.
  if (session.prepare === 'auto' && (sqlstate === '42P05' || sqlstate === '26000')) session.isNamed = false;
  if (nowMs - (session.saidAtMs.get(sqlstate) ?? Number.NEGATIVE_INFINITY) < SAID_EVERY_MS) return;
  session.saidAtMs.set(sqlstate, nowMs);
  onFault?.({ sqlstate, message: error.message });
}

function isConfig(asked: unknown): asked is { name?: string; values?: unknown[] } {
  // What submits itself (a cursor, a query that was made before) is no bag of settings.
  return typeof asked === 'object' && asked !== null && !('submit' in asked);
}

function plain(value: unknown): unknown {
  return Array.isArray(value) ? (arrayText(value) ?? value) : value;
}

/**
 * A bounded pool whose every wait has a deadline: for a connection, for a row, for a statement, and (upheld by the
 * server) for a transaction whose process was paused. Behind a pooler that is so only once openSession() has found it so.
 */
export function createPool(options: PoolOptions): Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 10_000;
  const prepare = options.prepare ?? 'auto';
  const settings = sessionSettings({ ...options, statementTimeoutMs });
  const session: Session = {
    settings,
    prepare,
    isNamed: prepare !== 'off',
    fullAtMs: Number.NEGATIVE_INFINITY,
    saidAtMs: new Map(),
  };
  const config = {
    Client: sessionClient(session, options.onFault),
    session,
    types: options.types ?? numberTypes,
    connectionString: options.databaseUrl,
    application_name: options.applicationName,
    max: options.max ?? 16,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 3_000,
    // The server's time-out answers first; this one is for a server that answers nothing at all (a half-open socket).
    query_timeout: statementTimeoutMs + 2_000,
    keepAlive: true,
    pipeline: options.pipeline ?? false,
    options: startupOptions(settings),
  };
  const pool = options.onAcquired === undefined ? new pg.Pool(config) : new TimedPool(config, options.onAcquired);
  pool.on('error', (error) => options.onIdleError?.(error));
  return pool;
}

/** For a program that is not ours: whatever it has set for all its connections holds here too, bigints are text. */
export function createHostPool(options: PoolOptions): Pool {
  return createPool({ types: pg.types, ...options });
}

type SettingOptions = Pick<
  PoolOptions,
  'statementTimeoutMs' | 'lockTimeoutMs' | 'idleInTransactionTimeoutMs' | 'keyLookupsOnly'
>;

/** What a pool asks of its sessions, by the names of the server's settings. */
export function sessionSettings(options: SettingOptions = {}): Record<string, string> {
  return {
    statement_timeout: String(options.statementTimeoutMs ?? 10_000),
    lock_timeout: String(options.lockTimeoutMs ?? 1_000),
    idle_in_transaction_session_timeout: String(options.idleInTransactionTimeoutMs ?? 5_000),
    // What a database or a role may have set otherwise, and the statements rely on.
    default_transaction_isolation: 'read committed',
    standard_conforming_strings: 'on',
    array_nulls: 'on',
    // What the driver reads instants by.
    DateStyle: 'ISO',
    ...(options.keyLookupsOnly && {
      enable_seqscan: 'off',
      enable_hashjoin: 'off',
      enable_mergejoin: 'off',
      // By the default cost of a page, reading a whole index that is thought to be small is cheaper than ten look-ups.
      random_page_cost: '0.01',
      jit: 'off',
      // There is one plan to be had, so it is made once. Left to itself, the server plans anew for every small batch, whose
      // arrays it counts, and pays more for that than for running it.
      plan_cache_mode: 'force_generic_plan',
    }),
  };
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

/** A statement that is sent as it is: one whose text is put together for one use. */
export function unnamedStatement(text: string): Omit<Statement, 'name'> {
  return { text, types: statementTypes };
}
