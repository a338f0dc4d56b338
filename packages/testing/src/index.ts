export { type FaultProxy, type FaultProxyOptions, type Faults, startFaultProxy } from './fault-proxy.ts';
export { MortalEngine, type MortalEngineOptions } from './matrix/mortal-engine.ts';
export { CALL_FAULTS, type CallFault } from './matrix/saga-calls.ts';
export {
  type PathSignal,
  runSagaMatrix,
  type SagaCase,
  type SagaCaseResult,
  type SagaMatrixOptions,
  type SagaPath,
  type SignalTiming,
  sagaMatrix,
} from './matrix/saga-matrix.ts';
export { runningServerPid } from './postgres/data-directory.ts';
export { freePort, type PostgresOptions, type PostgresServer, startPostgres } from './postgres/embedded-postgres.ts';
export { commandOf, identityOf, isSameProcess, type ProcessIdentity } from './postgres/process-identity.ts';
export { type TestDatabase, testDatabase } from './postgres/test-database.ts';
export { skipsRedis } from './redis-here.ts';
export { isRedisInstalled, type RedisServer, startRedis, startRedisCluster, startSentinel } from './redis-server.ts';
export { startProcess, type TestProcess } from './service-process.ts';
export { toldEvents } from './told-events.ts';
