export {
  type AnsweredKey,
  EXPIRES_HEADER,
  KEY_HEADER,
  keyHeaders,
  keyIn,
  REPLAYED_HEADER,
} from './key-headers.ts';
export { openApi } from './openapi.ts';
export { preferredWaitMs } from './prefer.ts';
export {
  codesByReason,
  differingFaults,
  type Fault,
  type IdempotencyProblem,
  PROBLEM_TYPE,
  type Problem,
  type ProblemAnswer,
  type ProblemCode,
  type ProblemEntry,
  type ProblemReason,
  problemAnswer,
  problemEntry,
  problemFor,
  problemOf,
  problems,
  type Said,
} from './problem.ts';
export { decodeAnswer, encodeAnswer, replayedHeaders, type StoredAnswer, storedHeaders } from './stored-answer.ts';
