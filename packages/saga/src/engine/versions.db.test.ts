import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SagaTest } from '../../test/test-participants.ts';
import { defineSaga } from '../definition/definition.ts';
import type { Engine } from './engine.ts';

const WAIT_MS = 15_000;
let test: SagaTest;
beforeAll(async () => {
  test = await SagaTest.create('versions');
});
afterAll(() => test.drop());

type Outputs = { first: string; second: string };
const limits = { timeoutMs: 5_000, retry: { baseMs: 5, capMs: 20 } };
const gate = Promise.withResolvers<void>();

/** The second version has its steps the other way round. */
function version(n: 1 | 2) {
  const step = <Name extends keyof Outputs>(name: Name) => ({
    ...limits,
    name,
    kind: 'compensatable' as const,
    act: async () => {
      if (name === 'first') await gate.promise;
      return { kind: 'completed' as const, output: `${name} of ${n}` };
    },
    undo: async () => ({ kind: 'completed' as const }),
  });
  const steps = n === 1 ? [step('first'), step('second')] : [step('second'), step('first')];
  return defineSaga<null, Outputs>()({ name: 'changed', version: n, deadlineMs: 20_000, steps });
}

async function settledBy(engine: Engine, id: string) {
  const outcome = await engine.waitForEnd(id, WAIT_MS);
  if (outcome.kind !== 'ended') throw new Error(`saga ${id} is ${outcome.kind}`);
  return outcome.snapshot;
}

describe('a definition with versions', () => {
  it('S1: finishes each saga under the version that it began with, and begins new ones under the newest', async () => {
    const [v1, v2] = [version(1), version(2)];
    expect([v1.name, v2.name, v2.family]).toEqual(['changed', 'changed@2', 'changed']);
    const old = await test.engine({ definitions: [v1] });
    await old.begin(v1, 'begun-before', null);
    const warnings: { definition?: string; sagas?: number }[] = [];
    const both = await test.engine({ definitions: [v1, v2] });
    await both.begin('changed', 'begun-after', null);
    expect((await both.readSaga('begun-after'))?.definition).toBe('changed@2');
    await test.kill(both);
    // Of a process that is gone, and of a version that this one does not have.
    const log = { info() {}, warn: (fields: object) => void warnings.push(fields), error() {} };
    const onlyOld = await test.engine({ definitions: [v1], log });
    gate.resolve();
    expect(await settledBy(onlyOld, 'begun-before')).toMatchObject({
      state: 'completed',
      definition: 'changed',
      outputs: { first: 'first of 1', second: 'second of 1' },
    });
    await expect
      .poll(() => warnings.filter(({ definition }) => definition !== undefined), { timeout: WAIT_MS })
      .toEqual([{ definition: 'changed@2', sagas: 1 }]);
    expect(await onlyOld.readSaga('begun-after')).toMatchObject({ state: 'running', epoch: 1 });
    const next = await test.engine({ definitions: [v1, v2] });
    expect(await settledBy(next, 'begun-after')).toMatchObject({
      state: 'completed',
      outputs: { first: 'first of 2', second: 'second of 2' },
    });
  });

  it('are told apart by their versions, and never share one', async () => {
    expect(() => defineSaga<null, Outputs>()({ ...version(1), version: 0, steps: [] as never })).toThrow(/its version/);
    await expect(test.engine({ definitions: [version(1), version(1)] })).rejects.toThrow(/give the newer one the next/);
  });
});
