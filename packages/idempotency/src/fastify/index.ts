export { type Fault, type IdempotencyProblem, type ProblemCode, problems } from '../http/problem.ts';
export {
  done,
  type HandlerAnswer,
  type IdempotentCall,
  type IdempotentHandler,
  idempotent,
  refused,
} from './idempotent.ts';
export type { IdempotencyOptions, KeyedRouteOptions } from './options.ts';
export { idempotency } from './plugin.ts';
export { sendProblem } from './problem.ts';
