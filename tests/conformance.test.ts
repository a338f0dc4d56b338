/**
 * What a caller may rely on, rule by rule, seen from outside: over HTTP and gRPC, against any system.
 *
 * How to run it, also against another system, and all rules in full: README.md beside this file.
 */

import {
  afterwardsRules,
  Calls,
  callFailureRules,
  callKeyRules,
  edgeRules,
  type FirstOrder,
  failureRules,
  keyRules,
  Outage,
  openTarget,
  placeFirstOrder,
  printTable,
  sealRules,
  shopRules,
  type Target,
  waitingRules,
  writeRules,
} from '@holdfast/conformance';
import { afterAll, beforeAll, describe } from 'vitest';

const START_WITHIN_MS = 90_000;

let target: Target;
let calls: Calls;
let first: FirstOrder;
let outage: Outage;
let opening: Promise<Target> | undefined;
beforeAll(async () => {
  opening = openTarget(process.env, AbortSignal.timeout(START_WITHIN_MS));
  target = await opening;
  calls = new Calls(target);
  outage = new Outage(target, calls);
  first = await placeFirstOrder(target);
});
afterAll(async () => {
  calls?.close();
  // Also when the hook above was given up: what it had started would go on without anybody who stops it.
  await opening?.then(
    (opened) => opened.stop(),
    () => undefined,
  );
});
printTable();

describe('over HTTP', () => {
  keyRules(() => target);
  writeRules(() => target);
  shopRules(() => target);
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
    () => outage,
  );
});
describe('while processes die', () => {
  failureRules(
    () => target,
    () => outage,
  );
});
describe('afterwards', () => {
  afterwardsRules(
    () => target,
    () => first,
  );
});
