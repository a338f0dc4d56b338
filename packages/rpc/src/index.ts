export {
  type CallOptions,
  type CallResult,
  type Client,
  callUnary,
  connect,
  createClient,
  failureOf,
  type Methods,
} from './client.ts';
export { type ServiceName, services, stepService } from './protos.ts';
export {
  type Handlers,
  type RunningServer,
  type ServerOptions,
  type ServiceBinding,
  type StepStreams,
  service,
  startServer,
  translated,
  type Unary,
} from './server.ts';
export {
  boundedRemainingMs,
  checkEpoch,
  checkKey,
  checkTenantId,
  InvalidRequest,
  type ServerCall,
} from './server-call.ts';
export {
  type Answer,
  type ErrorReason,
  errorOf,
  RETRYABLE_REASONS,
  type RpcError,
  rpcErrors,
  statusBytes,
  toServiceError,
} from './status.ts';
export { decodeStatus, encodeStatus, type StatusDetail } from './status-details.ts';
export { type CertificateSources, Certificates } from './tls/certificates.ts';
export {
  type ChannelTls,
  channelIdentity,
  channelTls,
  type OperatorFiles,
  operatorCertificates,
  operatorTls,
} from './tls/channel-tls.ts';
export type { ServerTls } from './tls/server-tls.ts';
export { clearTextFaults, pairFaults, type TlsSettings, tlsFaults, tlsSettings } from './tls/tls-settings.ts';
export { checkCurrency, checkDistinct, checkIdentifier, checkInteger, checkShopId, checkText } from './validate.ts';
