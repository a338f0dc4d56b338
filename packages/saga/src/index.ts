// What a service needs around its sagas, so that it need not name a second package.
export {
  createHostPool as createPool,
  inSchema,
  type MigrationOptions,
  migrate,
  migrationSql,
  type Pool,
  type Transaction,
  textIn,
  transaction,
} from '@holdfast/postgres';
export {
  type ActOutcome,
  type CompensatableStep,
  type Done,
  defineSaga,
  type Fenced,
  type MemberStep,
  type ParallelSteps,
  type PivotStep,
  type Refused,
  type RetriableOutcome,
  type RetriableStep,
  type Retry,
  type RunnableStep,
  type SagaDefinition,
  type Signal,
  type Step,
  type StepContext,
  type StepKind,
  type StoredWait,
  type UndoOutcome,
  type Unknown,
  type WaitBeside,
  type Waiting,
  type WaitLimits,
} from './definition/definition.ts';
export { CANCELLED, DEADLINE_EXCEEDED } from './definition/transitions.ts';
export type {
  BeginInTransactionOutcome,
  BeginOptions,
  BeginOutcome,
  Inserted,
  NotAdmitted,
  StarterOptions,
  StartOutcome,
} from './engine/begin.ts';
export { type CrashPointListener, ENGINE_POINTS, type EnginePoint } from './engine/crash-points.ts';
export { createEngine, type Engine } from './engine/engine.ts';
export type { EngineOptions, EngineStats } from './engine/engine-options.ts';
export { type Clock, type Database, type SagaLog, type SagaMetrics, systemClock } from './engine/ports.ts';
export type { SettledOutcome, SnapshotListener, WaitOutcome } from './engine/watchers.ts';
export type { AttemptRecord, CommitHook } from './journal/checkpoint.ts';
export { flushStatements } from './journal/flush-sql.ts';
export { type Intervention, readSaga, readSnapshot, type SagaRecord } from './journal/read.ts';
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
  type StoredSignal,
  sagaMigrations,
  startSagaSql,
} from './journal/saga-row.ts';
export type { CancelOutcome } from './operator/cancel.ts';
export type { CompensateOutcome, Operator, ResumeOutcome, RetryOutcome } from './operator/operate.ts';
export type { SignalOptions, SignalOutcome } from './operator/signal.ts';
export { sagaStatements } from './statements.ts';
