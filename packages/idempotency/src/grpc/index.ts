export { createRetryBudget, type RetryBudget } from '@holdfast/resilience';
export { encodeStatus, errorStatus, type KeyErrorReason, keyErrors } from './error-status.ts';
export type { IdempotentCall } from './idempotent-call.ts';
export { createKeyedServer, type KeyedServer, type KeyedServerOptions } from './keyed-server.ts';
export { type RetryOptions, retries } from './retrying-client.ts';
