import type { Migrations } from '@holdfast/postgres';

// What a service needs around its keys, so that it need not name a second package.
export { createPool, migrate, type Pool, type Transaction } from '@holdfast/postgres';

export {
  type AnswerMemory,
  createLocalAnswers,
  createLocalAnswersOf,
  type LocalAnswers,
  type Recalled,
  type RememberedCall,
  type SettledAnswer,
  type UnreadAnswers,
  type UnreadCall,
} from './answer-memory.ts';
export { DEFAULT_KEEP_DAYS } from './answers.ts';
export { type Batcher, createBatcher, QueueFull } from './batcher.ts';
export {
  type Ask,
  ask,
  attach,
  type Claim,
  type ClaimOutcome,
  type ClaimRequest,
  claim,
  complete,
  differingMembers,
  refuse,
  release,
  type SealedFrom,
  seal,
} from './claim.ts';
export { ClaimedMeanwhile, heldClaimsSql, heldColumns } from './claim-batch.ts';
export { type ReachStepPoint, STEP_POINTS, type StepPoint } from './crash-points.ts';
export { type Fingerprint, type Fingerprinter, loadFingerprinter } from './fingerprint.ts';
export { createFlights, type Flights } from './flights.ts';
export { forgetMessages, type Message, takeNew } from './inbox.ts';
export { actKeyOf, isUndoKey, KEY_PATTERN, splitKey, undoKeyOf } from './key.ts';
export {
  createKeyedRunner,
  type Effect,
  type KeyedOutcome,
  type KeyedRun,
  type KeyedRunner,
  type KeyedRunnerOptions,
} from './keyed-runner.ts';
export { TransactionControlRefused } from './nested-transactions.ts';
export { dateOfKey, type KeyFault, keyOf, newKey, parseKey } from './new-key.ts';
export {
  keepRetention,
  type Purged,
  purge,
  type RetentionOptions,
  type RetentionTimer,
  turnDays,
} from './retention.ts';
export { type ActOutcome, type KeyedCall, type OutsideAct, runAct, runOutsideAct, type Settlement } from './run-act.ts';
export { type OutsideUndo, runOutsideUndo, runUndo, type UndoOutcome } from './run-undo.ts';
export {
  EffectTimeout,
  type Scope,
  scopedTransaction,
  TransactionEnded,
} from './scoped-transaction.ts';
export {
  type Begun,
  createStepRunner,
  type OutsideSpec,
  type Performed,
  type Prepared,
  type RunStep,
  type StepSpec,
} from './step-runner.ts';

/** The tables of this package; list them before a service's own. */
export const idempotencyMigrations: Migrations = {
  module: 'idempotency',
  folder: new URL('../sql/', import.meta.url),
};
