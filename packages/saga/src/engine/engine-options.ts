import type { SagaDefinition } from '../definition/definition.ts';
import type { CommitHook } from '../journal/checkpoint.ts';
import type { WriterStats } from '../journal/checkpoint-writer.ts';
import type { SagaSnapshot } from '../journal/saga-row.ts';
import type { ReachPoint } from './crash-points.ts';
import type { Clock, Database, SagaLog, SagaMetrics } from './ports.ts';

export interface EngineOptions {
  pool: Database;
  /** Sagas of other definitions are left to processes that know them. */
  definitions: readonly SagaDefinition[];
  /** Shown to operators: which process this is. */
  name: string;
  /**
   * `name` is the name of a place, which one process has at a time: by its start the one before it is dead. Its sagas
   * are adopted at once then, instead of when its lease has run out. Default false: each process has a name of its own.
   */
  takesPlace?: boolean;
  log: SagaLog;
  metrics?: SagaMetrics;
  /** How long a silent process keeps its sagas; adoption takes at most a sixth of it longer. */
  leaseMs?: number;
  /** Sagas driven at once by this process. */
  maxRunning?: number;
  /** Uniform in [0, 1). */
  random?: () => number;
  clock?: Clock;
  /** Hears of every crash point that is reached. */
  reach?: ReachPoint;
  /** Commits with every flush of checkpoints. */
  commitHook?: CommitHook;
  /** What the commit hook gets to see of a checkpoint that is about to be written, as its `payload` column. */
  hookPayload?: (upcoming: SagaSnapshot, input: unknown) => string | null;
  /** See WriterOptions. */
  prepared?: boolean;
}

export interface EngineStats extends WriterStats {
  running: number;
  /** Age of the oldest saga driven here; 0 without one. */
  oldestRunningMs: number;
}
