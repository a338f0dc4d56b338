export { createRetryBudget, type RetryBudget } from '@holdfast/resilience';
export type { CallInHand } from './call-in-hand.ts';
export { encodeStatus, errorStatus, type KeyErrorReason, keyErrors } from './error-status.ts';
export { createKeyedServer, type KeyedServer, type KeyedServerOptions } from './keyed-server.ts';
export { type RetryOptions, retries } from './retrying-client.ts';
