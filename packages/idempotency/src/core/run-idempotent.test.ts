import { describe, expect, it } from 'vitest';
import { type IdempotentRun, type RunPorts, runIdempotent } from './run-idempotent.ts';
import { type ClaimedRequest, createSingleFlight, type SingleFlight } from './single-flight.ts';

type Outcome = { kind: string; by?: string; shared?: boolean };

const callOf = (extra: Partial<IdempotentRun> & { request?: string } = {}): IdempotentRun => {
  const { request = 'same', ...rest } = extra;
  return {
    tenantId: 'shop',
    key: 'key',
    operation: 'pay',
    fingerprint: { digest: Buffer.from(request) },
    waitMs: 5_000,
    ...rest,
  };
};
const standsFor = ({ operation, fingerprint }: IdempotentRun): ClaimedRequest => ({
  operation,
  fingerprint: fingerprint.digest,
  members: null,
});

/** An attempt that ends on request. */
function attempt(by: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<(request: ClaimedRequest) => void>();
  let runs = 0;
  const run = async (claimed: (request: ClaimedRequest) => void): Promise<Outcome> => {
    runs += 1;
    begun.resolve(claimed);
    await promise;
    return { kind: 'completed', by };
  };
  return { run, begun: begun.promise, end: resolve, fail: reject, runs: () => runs };
}

function run(
  singleFlight: SingleFlight,
  call: IdempotentRun,
  work: RunPorts<Outcome>['attempt'],
  more: Partial<RunPorts<Outcome>> = {},
) {
  return runIdempotent<Outcome>(singleFlight, call, {
    attempt: work,
    share: (outcome) => ({ ...outcome, shared: true }),
    reused: () => ({ kind: 'reused' }),
    inProgress: () => ({ kind: 'in_progress' }),
    waitUntilSettled: async () => undefined,
    ...more,
  });
}
const never = () => Promise.reject(new Error('it ran'));

describe('duplicates in one process', () => {
  it('K2: share what comes of the one that runs, however many wait, and run nothing', async () => {
    const singleFlight = createSingleFlight();
    const first = attempt('first');
    const running = run(singleFlight, callOf(), first.run);
    const waiting = Array.from({ length: 50 }, () => run(singleFlight, callOf(), never));
    first.end();
    expect(await running).toEqual({ kind: 'completed', by: 'first' });
    expect(await Promise.all(waiting)).toEqual(Array(50).fill({ kind: 'completed', by: 'first', shared: true }));
    expect(first.runs()).toBe(1);
  });

  it('K4: share nothing across epochs: each makes an attempt of its own, one at a time', async () => {
    const singleFlight = createSingleFlight();
    const [first, second] = [attempt('first'), attempt('second')];
    const running = run(singleFlight, callOf({ fence: { epoch: 1 } }), first.run);
    const owner = run(singleFlight, callOf({ fence: { epoch: 2 } }), second.run);
    await first.begun;
    expect(second.runs()).toBe(0);
    first.end();
    await running;
    second.end();
    expect(await owner).toEqual({ kind: 'completed', by: 'second' });
  });

  it('H6: another request is refused as soon as it is sure what the key stands for, and not before', async () => {
    const singleFlight = createSingleFlight();
    const first = attempt('first');
    const call = callOf();
    const running = run(singleFlight, call, first.run);
    const other = run(singleFlight, callOf({ request: 'other', waitMs: 0 }), never, { claimMs: 5_000 });
    let refused = false;
    void other.then(() => {
      refused = true;
    });
    const claimed = await first.begun;
    await new Promise(setImmediate);
    expect(refused).toBe(false);
    claimed(standsFor(call));
    expect(await other).toEqual({ kind: 'reused' });
    first.end();
    await running;
  });

  it('H6: a request is not refused because of one that came before it and lost the key to the same request', async () => {
    const singleFlight = createSingleFlight();
    const loser = attempt('loser');
    const running = run(singleFlight, callOf({ request: 'loser' }), loser.run);
    const ours = run(singleFlight, callOf(), async () => ({ kind: 'completed', by: 'ours' }));
    loser.end();
    await running;
    expect(await ours).toEqual({ kind: 'completed', by: 'ours' });
  });

  it('G5: that have waited long enough get in_progress and run nothing', async () => {
    const singleFlight = createSingleFlight();
    const first = attempt('first');
    const running = run(singleFlight, callOf(), first.run);
    expect(await run(singleFlight, callOf({ waitMs: 5 }), never)).toEqual({ kind: 'in_progress' });
    expect(await run(singleFlight, callOf({ waitMs: 0 }), never)).toEqual({ kind: 'in_progress' });
    const signal = AbortSignal.timeout(5);
    expect(await run(singleFlight, callOf({ signal }), never)).toEqual({ kind: 'in_progress' });
    first.end();
    await running;
  });

  it('K7: wait in bounded numbers', async () => {
    const singleFlight = createSingleFlight({ maxWaiting: 1 });
    const first = attempt('first');
    const running = run(singleFlight, callOf(), first.run);
    const waiting = run(singleFlight, callOf(), never);
    expect(await run(singleFlight, callOf(), never)).toEqual({ kind: 'in_progress' });
    first.end();
    expect(await Promise.all([running, waiting])).toMatchObject([{ by: 'first' }, { by: 'first', shared: true }]);
  });

  it('go on when the running one fails, whose error is its own caller’s', async () => {
    const singleFlight = createSingleFlight();
    const first = attempt('first');
    const running = run(singleFlight, callOf(), first.run);
    const waiting = run(singleFlight, callOf(), async () => ({ kind: 'completed', by: 'mine' }));
    first.fail(new Error('failed'));
    await expect(running).rejects.toThrow('failed');
    expect(await waiting).toEqual({ kind: 'completed', by: 'mine' });
  });

  it('of other keys, and of other tenants, do not wait', async () => {
    const singleFlight = createSingleFlight();
    const first = attempt('first');
    const running = run(singleFlight, callOf(), first.run);
    for (const other of [callOf({ key: 'other', waitMs: 0 }), callOf({ tenantId: 'other', waitMs: 0 })]) {
      expect(await run(singleFlight, other, async () => ({ kind: 'completed', by: 'other' }))).toMatchObject({
        by: 'other',
      });
    }
    first.end();
    await running;
  });
});

describe('a call', () => {
  it('K6: is answered by what is known, without an attempt; two that ask a cache at once make one', async () => {
    const singleFlight = createSingleFlight();
    const known = { kind: 'completed', by: 'cache' };
    expect(await run(singleFlight, callOf(), never, { recall: () => known })).toEqual(known);
    const first = attempt('first');
    const asking = { recall: async () => undefined };
    const both = [1, 2].map(() => run(singleFlight, callOf(), first.run, asking));
    await first.begun;
    first.end();
    expect((await Promise.all(both)).map(({ by }) => by)).toEqual(['first', 'first']);
    expect(first.runs()).toBe(1);
  });

  it('G5: that is in progress elsewhere looks again until it is not, or gets what the wait has found', async () => {
    const singleFlight = createSingleFlight();
    let looks = 0;
    const inProgressTwice = async () => {
      looks += 1;
      return { kind: looks < 3 ? 'in_progress' : 'completed' };
    };
    expect(await run(singleFlight, callOf(), inProgressTwice)).toEqual({ kind: 'completed' });
    expect(looks).toBe(3);
    const found = { waitUntilSettled: async () => ({ kind: 'completed', by: 'elsewhere' }) };
    expect(await run(singleFlight, callOf(), async () => ({ kind: 'in_progress' }), found)).toMatchObject({
      by: 'elsewhere',
    });
  });
});
