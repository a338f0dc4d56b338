export { isCertificateFault } from './certificate-fault.ts';
export { fullJitterMs } from './full-jitter.ts';
export { createRetryBudget, type RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
export { type InTime, withDeadline } from './with-deadline.ts';
