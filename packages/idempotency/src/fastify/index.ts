export { type Fault, type IdempotencyProblem, type ProblemCode, problems } from '../http/problem.ts';
export { done, type KeyedAnswer, type KeyedHandler, type KeyInHand, keyed, refused } from './keyed.ts';
export type { IdempotencyOptions, KeyedRouteOptions } from './options.ts';
export { idempotency } from './plugin.ts';
export { sendProblem } from './problem.ts';
