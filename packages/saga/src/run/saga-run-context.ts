import type { SagaDefinition } from '../definition/definition.ts';
import type { CrashPointListener } from '../engine/crash-points.ts';
import type { Clock, SagaLog, SagaMetrics } from '../engine/ports.ts';
import type { Attempt, Checkpoint } from '../journal/checkpoint.ts';
import type { CheckpointOutcome } from '../journal/checkpoint-writer.ts';
import type { SagaSnapshot } from '../journal/saga-row.ts';

/** What the runs of one definition need of their process; they share it. */
export interface SagaRunContext {
  definition: SagaDefinition;
  /** False as soon as others may own this process's sagas. */
  leaseHeld: () => boolean;
  write: (checkpoint: Checkpoint) => Promise<CheckpointOutcome>;
  journal: (attempts: Attempt[]) => Promise<void>;
  /** Counts that a participant has refused the saga as fenced; true when this process has met that too often. */
  isFencedAgain: (sagaId: string) => boolean;
  /** Called after a checkpoint was durable. */
  publish: (snapshot: SagaSnapshot) => void;
  hookPayload: (upcoming: SagaSnapshot, input: unknown) => string | null;
  crashPoint: CrashPointListener;
  random: () => number;
  clock: Clock;
  log: SagaLog;
  metrics?: SagaMetrics | undefined;
}
