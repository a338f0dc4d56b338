export { checkCurrency, checkDistinct, checkIdentifier, checkInteger, checkText } from './check.ts';
export { type CallOptions, type CallResult, type Client, createClient, type Methods } from './client.ts';
export { decodeStatus, encodeStatus, type StatusDetail } from './error-details.ts';
export {
  type Answer,
  type ErrorReason,
  errorOf,
  RETRYABLE_REASONS,
  type RpcError,
  rpcErrors,
  statusBytes,
} from './errors.ts';
export type { OrderInput as OrderMessage } from './gen/holdfast/orders/v1/Order.ts';
export { migrationJob } from './migration-job.ts';
export { consumeEvents, eventsUrl, orderEvents, relayEvents } from './order-events.ts';
export { type AskedStep, askStep, keyedCall, type Operation, stepAnswer, storeFault } from './participant.ts';
export { type ServiceName, services } from './protos.ts';
export { openRedis, type Participant, type ParticipantConfig, redisUrl, runParticipant } from './run-participant.ts';
export { type Handlers, type RunningServer, type ServiceBinding, service, startServer } from './server.ts';
export { InvalidRequest, type ServerCall } from './server-call.ts';
export { createStepClient } from './step-client.ts';
