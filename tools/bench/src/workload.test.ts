import { dateOfKey } from '@holdfast/idempotency/key';
import { expect, it } from 'vitest';
import { keyMaker } from './workload.ts';

it('sends keys that carry their time, as the client does, or with --random-keys none of that kind', () => {
  const before = Date.now();
  const madeAt = dateOfKey(keyMaker(false)())?.getTime();
  expect(madeAt).toBeGreaterThanOrEqual(before);
  expect(madeAt).toBeLessThanOrEqual(Date.now());
  expect(dateOfKey(keyMaker(true)())).toBeUndefined();
});
