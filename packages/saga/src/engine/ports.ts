import type { Pool } from '@holdfast/postgres';

/** The pool: each statement is its own transaction and holds a connection no longer than it runs (K7). */
export type Database = Pick<Pool, 'query'>;

/** This process's time. What decides (leases, deadlines) is monotonic here, and by the database's clock where it is stored. */
export interface Clock {
  /** Milliseconds since some instant; monotonic, so that setting the machine's clock moves no lease. */
  now(): number;
  /** Milliseconds since 1970, by the machine's clock, which may be wrong or set back: only for what callers are shown. */
  wallNow(): number;
  /** Calls `work` once, in `ms` at the earliest. @returns cancels it; does nothing once it has run */
  after(ms: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(ms, work) {
    const timer = setTimeout(work, Math.max(ms, 0));
    return () => clearTimeout(timer);
  },
};

/** Resolves with `work`, or after `ms` without it. */
export async function within(clock: Clock, ms: number, work: Promise<void>): Promise<void> {
  let cancelTimer = () => {};
  const late = new Promise<void>((resolve) => {
    cancelTimer = clock.after(ms, resolve);
  });
  await Promise.race([work, late]);
  cancelTimer();
}

/** Where the engine logs what it does; pino's shape. Fields never hold a saga's input or outputs. */
export interface SagaLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counters of the engine; every method is called once per event and must not throw. */
export interface SagaMetrics {
  sagaStarted(definition: string): void;
  /** `completed`, `failed` or `cancelled`. */
  sagaEnded(definition: string, state: string, durationMs: number): void;
  sagaParked(definition: string): void;
  /** Its step waits for something outside. */
  sagaWaiting(definition: string, step: string): void;
  /** That had waited until now. */
  sagasWoken(count: number): void;
  /** Adopted from dead owners. */
  sagasAdopted(count: number): void;
  /** How many live or are due now whose definition this process does not know; 1,000 of each at most are counted. */
  sagasLeftAlone?(count: number): void;
  /** Dropped because another process owns it now. */
  sagaFenced(definition: string): void;
  /** An attempt whose outcome is unknown and that will be repeated. */
  stepRetried(definition: string, step: string, direction: 'act' | 'undo'): void;
  flushed(checkpoints: number, attempts: number, durationMs: number): void;
}

/**
 * A refused write as it may be logged. `pg`'s error also has `detail` and `where`, in which the server quotes the row
 * that it refused, a step's output among it (H23).
 */
export function refusalFields(error: unknown): { why: string; sqlstate?: string } {
  if (!(error instanceof Error)) return { why: String(error) };
  const sqlstate = (error as Error & { code?: unknown }).code;
  return { why: `${error.name}: ${error.message}`, ...(typeof sqlstate === 'string' && { sqlstate }) };
}
