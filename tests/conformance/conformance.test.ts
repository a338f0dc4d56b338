/**
 * What a caller may rely on, rule by rule, seen from outside: over HTTP and gRPC, against any system.
 *
 * How to run it, also against another system, and all rules in full: README.md beside this file.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { callFailureRules, callKeyRules, sealRules } from './call-rules.ts';
import { afterwardsRules, type FirstOrder, failureRules, placeFirstOrder } from './failure-rules.ts';
import { Calls } from './grpc-call.ts';
import { edgeRules, keyRules, waitingRules } from './http-rules.ts';
import { printTable } from './rule.ts';
import { openTarget, type Target } from './target.ts';

let target: Target;
let calls: Calls;
let first: FirstOrder;
beforeAll(async () => {
  target = await openTarget(process.env);
  calls = new Calls(target);
  first = await placeFirstOrder(target);
});
afterAll(async () => {
  calls?.close();
  await target?.stop();
});
printTable();

describe('over HTTP', () => {
  keyRules(() => target);
  waitingRules(() => target);
  edgeRules(() => target);
});
describe('over gRPC', () => {
  callKeyRules(
    () => target,
    () => calls,
  );
  sealRules(
    () => target,
    () => calls,
  );
  callFailureRules(
    () => target,
    () => calls,
  );
});
describe('while processes die', () => {
  failureRules(() => target);
});
describe('afterwards', () => {
  afterwardsRules(
    () => target,
    () => first,
  );
});
