export type { CancelOutcome } from './cancel.ts';
export type { Companion } from './checkpoint-writer.ts';
export { ENGINE_POINTS, type EnginePoint, type ReachPoint } from './crash-points.ts';
export {
  type ActOutcome,
  type CompensatableStep,
  type Done,
  defineSaga,
  type Fenced,
  type PivotStep,
  type Refused,
  type RetriableOutcome,
  type RetriableStep,
  type Retry,
  type RunnableStep,
  type SagaDefinition,
  type Step,
  type StepContext,
  type StepKind,
  type UndoOutcome,
  type Unknown,
} from './definition.ts';
export {
  createEngine,
  type Engine,
  type EngineOptions,
  type EngineStats,
} from './engine.ts';
export type { CompensateOutcome, Operator, ResumeOutcome, RetryOutcome } from './operate.ts';
export { type Clock, type Database, type SagaLog, type SagaMetrics, systemClock } from './ports.ts';
export { type AttemptRecord, type Intervention, readSaga, readSnapshot, type SagaRecord } from './read.ts';
export type { Admission, Admitted } from './roster.ts';
export {
  type EndState,
  type Failure,
  hasEnded,
  type LiveState,
  type Parked,
  type SagaRow,
  type SagaSnapshot,
  type SagaState,
  type StartSaga,
  sagaMigrations,
  startSagaSql,
} from './saga-row.ts';
export { CANCELLED, DEADLINE_EXCEEDED } from './transitions.ts';
export type { SnapshotListener, WaitOutcome } from './watchers.ts';
