export { runningServerPid } from './data-directory.ts';
export { freePort, type PostgresOptions, type PostgresServer, startPostgres } from './embedded-postgres.ts';
export { type TestDatabase, testDatabase } from './test-database.ts';
export { type TestParticipant, testParticipant } from './test-participant.ts';
