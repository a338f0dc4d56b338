import type { Migrations } from '@holdfast/postgres';

// What a service needs around its keys, so that it need not name a second package.
export {
  createHostPool as createPool,
  inSchema,
  type MigrationOptions,
  migrate,
  migrationSql,
  type Pool,
  type Transaction,
  textIn,
} from '@holdfast/postgres';

export {
  type AnswerCache,
  type CachedCall,
  createLocalAnswers,
  createLocalAnswersOf,
  type LocalAnswers,
  type RawAnswerCache,
  type RawCall,
  type Recalled,
  type SettledAnswer,
} from './core/answer-cache.ts';
export { createFingerprinter, type Fingerprint, type Fingerprinter } from './core/fingerprint.ts';
export { IdempotencyError } from './core/idempotency-error.ts';
export { actKeyOf, isUndoKey, KEY_PATTERN, KEY_RULE, splitKey, undoKeyOf } from './core/key.ts';
export { dateOfKey, type KeyFault, newKey, newKeyFor, parseKey } from './core/new-key.ts';
export type { ActOutcome, IdempotentCall, Settlement } from './core/outcome.ts';
export { KEY_FAULT_REASONS, OUTCOME_REASONS } from './core/outcome-reasons.ts';
export {
  DEFAULT_KEEP_DAYS,
  isAnswerExpired,
  isKeyExpired,
  TOMBSTONE_MS,
} from './core/retention-clock.ts';
export { type IdempotentRun, type RunPorts, runIdempotent } from './core/run-idempotent.ts';
export { differingMembers, isSameRequest } from './core/same-request.ts';
export {
  type ClaimedRequest,
  createSingleFlight,
  type Flight,
  type FlightCall,
  type SingleFlight,
} from './core/single-flight.ts';
export {
  type Claim,
  ClaimedMeanwhile,
  type ClaimOutcome,
  type ClaimRequest,
  type ClaimState,
  claimKeys,
  insertClaims,
  type NewClaim,
  type Settled,
  settleClaims,
} from './postgres/claims/claims.ts';
export {
  type ClaimAnswer,
  isSealedSql,
  type NewClaims,
  newClaimsSql,
  type OpenClaim,
  openClaim,
  type SettledClaims,
  type SettledOpenClaim,
  settleClaimsSql,
  settleOpenClaim,
  settleOpenClaimSql,
} from './postgres/claims/claims-fragment.ts';
export { endedEarlier, markingEnds } from './postgres/claims/ended-claims.ts';
export { type Existing, handleExisting } from './postgres/claims/existing-claim.ts';
export {
  attachClaims,
  heldClaimsSql,
  heldColumns,
  lockHeldClaim,
  releaseClaims,
} from './postgres/claims/held-claims.ts';
export { type Ask, ask, type ClaimRow, readClaims } from './postgres/claims/read-claims.ts';
export { type SealedFrom, sealClaims } from './postgres/claims/seals.ts';
export { loadFingerprinter } from './postgres/fingerprint-secret.ts';
export {
  createKeyedRunner,
  type Effect,
  type KeyedOutcome,
  type KeyedRun,
  type KeyedRunner,
  type KeyedRunnerOptions,
} from './postgres/keyed-runner.ts';
export { once, type TransactionPort } from './postgres/once/once.ts';
export type { OnceRequest, OnceResult } from './postgres/once/once-request.ts';
export { type RunOnceRequest, runOnce } from './postgres/once/run-once.ts';
export {
  keepRetention,
  type OtherTable,
  type Purged,
  purge,
  type RetentionOptions,
  type RetentionTimer,
  rotateDays,
} from './postgres/retention.ts';
export { TransactionControlRefused } from './postgres/scope/nested-transactions.ts';
export {
  EffectTimeout,
  runInScopedTransaction,
  type Scope,
  scopedTransaction,
  TransactionEnded,
} from './postgres/scope/scoped-transaction.ts';
export { type StoreFaultReason, storeFaultReason } from './postgres/store-fault.ts';

/** The tables of this package; list them before a service's own. */
export const idempotencyMigrations: Migrations = {
  module: 'idempotency',
  folder: new URL('../sql/', import.meta.url),
};
