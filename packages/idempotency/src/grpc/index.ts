export { encodeStatus, errorStatus, type KeyErrorReason, keyErrors } from './error-status.ts';
export { type CallInHand, createKeyedServer, type KeyedServer, type KeyedServerOptions } from './keyed-server.ts';
export { createRetryBudget, type RetryBudget } from './retry-budget.ts';
export { type RetryOptions, retries } from './retrying-client.ts';
