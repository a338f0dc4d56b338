export { describeSchema } from './describe-schema.ts';
export { type Batcher, createBatcher, QueueFull } from './group-commit.ts';
export { type MigrationFile, type Migrations, migrate, migrationFiles, missingMigrations } from './migrate.ts';
export { fewRowsHint } from './planner-hints.ts';
export {
  createHostPool,
  createPool,
  type Pool,
  type PoolOptions,
  type Query,
  type Statement,
  sessionSettings,
  statement,
} from './pool.ts';
export { type Preparation, prepareDatabase, runMigrations } from './prepare-database.ts';
export { openSession, type Prepare, roleSettings, SessionRefused, whyUnready } from './session.ts';
export {
  classifyPostgresError,
  faultLine,
  isNotNullViolation,
  isSessionFault,
  isUniqueViolation,
  type PostgresFault,
  sqlstateOf,
} from './sqlstate.ts';
export {
  type Ending,
  type Known,
  type Transaction,
  transaction,
  transactionAfter,
  transactionOf,
} from './transaction.ts';
export { statementTypes } from './value-types.ts';
