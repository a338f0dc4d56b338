/**
 * What a caller may rely on, rule by rule, seen from outside: over HTTP and gRPC, against any system.
 *
 * `npm run conformance` starts a system of its own (HOLDFAST_REPLICAS of every service, 2 unless told otherwise). To look
 * at another one, set HOLDFAST_URL (several replicas: separated by commas), HOLDFAST_API_KEY, HOLDFAST_OTHER_API_KEY,
 * HOLDFAST_GRPC_INVENTORY, HOLDFAST_GRPC_PAYMENT and HOLDFAST_GRPC_SHIPPING; and HOLDFAST_STATE_DIR, the folder with its
 * run.json, for the rules that kill and pause processes. What can't be seen there is listed as such.
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
