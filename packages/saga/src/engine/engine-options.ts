import { inSchema } from '@holdfast/postgres';
import type { SagaDefinition } from '../definition/definition.ts';
import type { CommitHook } from '../journal/checkpoint.ts';
import type { WriterStats } from '../journal/checkpoint-writer.ts';
import type { SagaSnapshot } from '../journal/saga-row.ts';
import type { CrashPointListener } from './crash-points.ts';
import type { Clock, Database, SagaLog, SagaMetrics } from './ports.ts';

export interface EngineOptions {
  pool: Database;
  /** Where the tables of sagas are. Default `holdfast`. */
  schema?: string | undefined;
  /** Sagas of other definitions are left to processes that know them. */
  definitions: readonly SagaDefinition[];
  /** Shown to operators: which process this is. */
  name: string;
  /**
   * No two processes have `name` at one time, so a process that starts under it knows that the one before is dead, and its
   * sagas are adopted at once, instead of when its lease has run out. Default false: each process has a name of its own.
   */
  isNameUnique?: boolean;
  log: SagaLog;
  metrics?: SagaMetrics;
  /** How long a silent process keeps its sagas; adoption takes at most a sixth of it longer. */
  leaseMs?: number;
  /** Sagas that run in this process at once. */
  maxRunning?: number;
  /** Uniform in [0, 1). */
  random?: () => number;
  clock?: Clock;
  /** Called at every crash point; for tests. */
  crashPoint?: CrashPointListener;
  /** Commits with every flush of checkpoints. */
  commitHook?: CommitHook;
  /** What the commit hook gets to see of a checkpoint that is about to be written, as its `payload` column. */
  hookPayload?: (upcoming: SagaSnapshot, input: unknown) => string | null;
  /** See WriterOptions. */
  prepared?: boolean;
}

export interface EngineStats extends WriterStats {
  running: number;
  /** Age of the oldest saga that runs here; 0 without one. */
  oldestRunningMs: number;
}

/** With a pool through which statements find their tables. */
export function addressed(options: EngineOptions): EngineOptions {
  return { ...options, pool: inSchema(options.pool, options.schema) };
}
