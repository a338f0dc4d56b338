export { createRetryBudget, type RetryBudget } from '@holdfast/resilience';
export { encodeStatus } from '../rpc/error-info.ts';
export type { IdempotentCall } from '../rpc/idempotent-call.ts';
export { type KeyErrorReason, keyErrors } from '../rpc/key-errors.ts';
export { errorStatus } from './error-status.ts';
export { createKeyedServer, type KeyedServer, type KeyedServerOptions } from './keyed-server.ts';
export { type RetryOptions, retries } from './retrying-client.ts';
