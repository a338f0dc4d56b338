export { done, type HandlerAnswer, type IdempotentCall, refused } from '../http/handler-answer.ts';
export { type Fault, type IdempotencyProblem, type ProblemCode, problems } from '../http/problem.ts';
export { type IdempotentHandler, idempotent } from './idempotent.ts';
export type { IdempotencyOptions, KeyedRouteOptions } from './options.ts';
export { idempotency, sendProblem } from './plugin.ts';
