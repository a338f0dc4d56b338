export { done, type KeyedAnswer, type KeyedHandler, type KeyInHand, keyed, refused } from './keyed.ts';
export type { IdempotencyOptions, KeyedRouteOptions } from './options.ts';
export { idempotency } from './plugin.ts';
export { type IdempotencyProblem, type ProblemCode, problems, sendProblem } from './problem.ts';
