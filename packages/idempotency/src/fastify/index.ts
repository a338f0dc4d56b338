export { done, type KeyedAnswer, type KeyInHand, refused } from '../http/keyed-answer.ts';
export { type Fault, type IdempotencyProblem, type ProblemCode, problems } from '../http/problem.ts';
export { type KeyedHandler, keyed } from './keyed.ts';
export type { IdempotencyOptions, KeyedRouteOptions } from './options.ts';
export { idempotency, sendProblem } from './plugin.ts';
