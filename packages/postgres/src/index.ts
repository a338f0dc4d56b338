export { type Batcher, createBatcher, QueueFull } from './group-commit.ts';
export { describeSchema } from './migrations/describe-schema.ts';
export {
  type MigrationFile,
  type MigrationOptions,
  type Migrations,
  migrate,
  migrationFiles,
  migrationSql,
  missingMigrations,
} from './migrations/migrate.ts';
export { type CommandLine, runMigrateCommand } from './migrations/migrate-command.ts';
export { type Preparation, prepareDatabase, runMigrations } from './migrations/prepare-database.ts';
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
  unnamedStatement,
} from './pool.ts';
export { checkedSchema, DEFAULT_SCHEMA, hostOf, inSchema, schemaOf, textIn } from './schema.ts';
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
