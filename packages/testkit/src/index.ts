export type { AuditCheck, AuditReport, MoneyLine, OrderCounts, Violation } from './audit-report.ts';
export {
  auditSagas,
  type EffectBook,
  type SagaAuditOptions,
  type SagaAuditReport,
  type SagaAuditSources,
} from './audit-sagas.ts';
export { auditTable } from './audit-table.ts';
export { type WatchEnd, type WatchOptions, watchBooks } from './audit-watch.ts';
export { type AuditOptions, type AuditSources, auditSystem } from './auditor.ts';
export { type Cluster, type ClusterEvent, type ClusterOptions, DEFAULT_STATE_DIR, startCluster } from './cluster.ts';
export { type Overrides, SERVICES, type ServiceName, TENANT_ID } from './cluster-plan.ts';
export { runningServerPid } from './data-directory.ts';
export { freePort, type PostgresOptions, type PostgresServer, startPostgres } from './embedded-postgres.ts';
export { type FaultProxy, type FaultProxyOptions, type Faults, startFaultProxy } from './fault-proxy.ts';
export { MortalEngine, type MortalEngineOptions } from './mortal-engine.ts';
export { isRedisInstalled, type RedisServer, startRedis, startRedisCluster, startSentinel } from './redis-server.ts';
export { type RunFile, type RunningService, readRunFile } from './run-file.ts';
export { CALL_FAULTS, type CallFault } from './saga-calls.ts';
export {
  runSagaMatrix,
  type SagaCase,
  type SagaCaseResult,
  type SagaMatrixOptions,
  type SagaPath,
  sagaMatrix,
} from './saga-matrix.ts';
export { type TestDatabase, testDatabase } from './test-database.ts';
export { type TestParticipant, testParticipant } from './test-participant.ts';
export { toldEvents } from './told-events.ts';
