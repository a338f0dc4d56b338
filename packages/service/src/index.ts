export {
  boolean,
  type Config,
  ConfigError,
  type ConfigSpec,
  integer,
  isLoopback,
  keyList,
  loadConfig,
  nameList,
  optional,
  type Pem,
  pem,
  port,
  prepare,
  type Reader,
  secretList,
  text,
  url,
} from './config.ts';
export { createHealth, type Health, type ReadinessCheck } from './health.ts';
export { createLog, type Log } from './log.ts';
export { createMetrics, type Metrics, observeWaits } from './metrics.ts';
export { type HttpRoutes, type OpsServer, startOpsServer } from './ops-server.ts';
export { EXIT_BAD_CONFIG, EXIT_USAGE, type Jobs, onShutdown, runService } from './run-service.ts';
export { newTraceparent, type Traceparent, traceIdOf } from './traceparent.ts';
