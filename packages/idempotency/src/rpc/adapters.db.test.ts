import { status } from '@grpc/grpc-js';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LIMIT, Nobody, RPC_SHOPS, type RpcShopOptions } from '../../test/rpc-shops.ts';
import { type Answered, type Caller, caller } from '../../test/test-payments.ts';
import { idempotencyMigrations, newKey, TransactionControlRefused } from '../index.ts';

// The rules of keyed methods, each against each adapter. What is asked and answered is gRPC on the wire, whatever serves it.

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('rpc_adapters', [idempotencyMigrations], { max: 8 });
  await database.pool.query(
    'create table charges (id serial primary key, key text not null unique, amount int not null)',
  );
});
afterAll(() => database.drop());

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function chargesUnder(key: string): Promise<number> {
  return (await database.pool.query('select from charges where key = $1', [key])).rows.length;
}

async function claimsOf(key: string): Promise<number> {
  return (await database.pool.query('select from holdfast.claims where scope = $1', [key])).rows.length;
}

const pushbackOf = ({ trailers }: Answered) => trailers.get('grpc-retry-pushback-ms')[0];
const replayedOf = ({ trailers }: Answered) => trailers.get('idempotent-replayed')[0];
const detailsOf = ({ trailers }: Answered) => Buffer.from((trailers.get('grpc-status-details-bin')[0] as Buffer) ?? []);
const reasonIn = (answered: Answered, reason: string) => detailsOf(answered).includes(reason);

function held() {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const during = async () => {
    begun.resolve();
    await ended.promise;
  };
  return { during, begun: begun.promise, end: () => ended.resolve() };
}

describe.each(RPC_SHOPS)('a keyed method of %s', (_name, start) => {
  const shop = async (options: Partial<RpcShopOptions> = {}, during?: RpcShopOptions['during']): Promise<Caller> => {
    const server = await start({ pool: database.pool, ...options, ...(during && { during }) });
    const calls = caller(server.address);
    closing.push(() => calls.close(), server.stop);
    return calls;
  };

  it.each([
    ['G1', undefined, 'IDEMPOTENCY_KEY_MISSING'],
    ['G2', 'short', 'IDEMPOTENCY_KEY_INVALID'],
    ['G2', ['x'.repeat(16), 'y'.repeat(16)], 'IDEMPOTENCY_KEY_INVALID'],
  ])('%s: refuses the key %j and runs nothing', async (_rule, key, reason) => {
    const calls = await shop();
    const answered = await calls.call('Charge', { amount: 5 }, { key });
    expect([answered.code, pushbackOf(answered)]).toEqual([status.INVALID_ARGUMENT, '-1']);
    expect(reasonIn(answered, reason)).toBe(true);
  });

  it('G3: runs once; the message is replayed byte for byte, by this process and by another', async () => {
    const [here, there] = [await shop(), await shop()];
    const key = newKey();
    const first = await here.call('Charge', { amount: 5 }, { key });
    expect([first.code, replayedOf(first)]).toEqual([status.OK, 'false']);
    for (const calls of [here, there]) {
      const again = await calls.call('Charge', { amount: 5 }, { key });
      expect([again.code, replayedOf(again)]).toEqual([status.OK, 'true']);
      expect(again.bytes?.equals(first.bytes ?? Buffer.alloc(0))).toBe(true);
    }
    expect(await chargesUnder(key)).toBe(1);
  });

  it('G4: refuses another request and another method under the key, and the true one still gets its answer', async () => {
    const [here, there] = [await shop(), await shop()];
    const key = newKey();
    await here.call('Charge', { amount: 5 }, { key });
    for (const calls of [here, there]) {
      const other = await calls.call('Charge', { amount: 6 }, { key });
      expect([other.code, pushbackOf(other)]).toEqual([status.FAILED_PRECONDITION, '-1']);
      expect(reasonIn(other, 'IDEMPOTENCY_KEY_REUSED')).toBe(true);
      expect(reasonIn(other, 'amount')).toBe(true);
      expect((await calls.call('Refund', { amount: 5 }, { key })).code).toBe(status.FAILED_PRECONDITION);
      expect(replayedOf(await calls.call('Charge', { amount: 5 }, { key }))).toBe('true');
    }
  });

  it('G5: while it runs, a duplicate waits for half its time and is then asked to come back', async () => {
    const { during, begun, end } = held();
    const [here, there] = [await shop({}, during), await shop()];
    const key = newKey();
    const first = here.call('Charge', { amount: 5 }, { key });
    await begun;
    for (const calls of [here, there]) {
      const impatient = await calls.call('Charge', { amount: 5 }, { key, timeoutMs: 2_000 });
      expect(impatient.code).toBe(status.ABORTED);
      expect(reasonIn(impatient, 'REQUEST_IN_PROGRESS')).toBe(true);
      expect(Number(pushbackOf(impatient))).toBeGreaterThanOrEqual(20);
      expect((await calls.call('Charge', { amount: 6 }, { key })).code).toBe(status.FAILED_PRECONDITION);
    }
    const patient = [here, there].map((calls) => calls.call('Charge', { amount: 5 }, { key }));
    end();
    const { bytes } = await first;
    for (const answered of await Promise.all(patient)) {
      expect([answered.code, replayedOf(answered), answered.bytes?.equals(bytes ?? Buffer.alloc(0))]).toEqual([
        0,
        'true',
        true,
      ]);
    }
  });

  it('G6: stores a refusal with its details byte for byte, and without what the handler had written', async () => {
    const [here, there] = [await shop(), await shop()];
    const key = newKey();
    const first = await here.call('Charge', { amount: 1_001 }, { key });
    expect([first.code, first.details, replayedOf(first)]).toEqual([status.FAILED_PRECONDITION, 'too much', 'false']);
    expect(await chargesUnder(key)).toBe(0);
    for (const calls of [here, there]) {
      const again = await calls.call('Charge', { amount: 1_001 }, { key });
      expect([again.code, again.details, replayedOf(again), pushbackOf(again)]).toEqual([9, 'too much', 'true', '-1']);
      expect(detailsOf(again).equals(detailsOf(first))).toBe(true);
      expect(detailsOf(again).includes(LIMIT.value)).toBe(true);
    }
  });

  it('stores no other error: the handler’s own passes, everything is rolled back, and the key runs again', async () => {
    const calls = await shop();
    const key = newKey();
    const refusedNow = await calls.call('Refund', { amount: -1 }, { key });
    expect([refusedNow.code, refusedNow.details]).toEqual([status.INVALID_ARGUMENT, 'give an amount']);
    expect([await chargesUnder(key), await claimsOf(key)]).toEqual([0, 0]);
    expect((await calls.call('Refund', { amount: 1 }, { key })).code).toBe(status.OK);
  });

  it('answers a fault of the handler with INTERNAL, tells the application and not the caller', async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    const calls = await shop({ onError }, () => Promise.reject(new Error('a secret')));
    const key = newKey();
    const failed = await calls.call('Charge', { amount: 5 }, { key });
    expect([failed.code, failed.details.includes('a secret'), errors.length]).toEqual([status.INTERNAL, false, 1]);
    expect([await chargesUnder(key), await claimsOf(key)]).toEqual([0, 0]);
  });

  it('K9: gives an error to a handler that commits by itself, keeps nothing of it, and the retry is the one effect', async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    const calls = await shop({ onError }, (tx) => tx.query('commit'));
    const key = newKey();
    expect((await calls.call('Charge', { amount: 5 }, { key })).code).toBe(status.INTERNAL);
    expect([errors, await chargesUnder(key)]).toEqual([[expect.any(TransactionControlRefused)], 0]);
    expect((await (await shop()).call('Charge', { amount: 5 }, { key })).code).toBe(status.OK);
    expect(await chargesUnder(key)).toBe(1);
  });

  it('G7: says try again when somebody else held the rows', async () => {
    const calls = await shop();
    const key = newKey();
    const locked = await database.pool.connect();
    try {
      await locked.query('begin');
      await locked.query('lock table charges in access exclusive mode');
      const refusedNow = await calls.call('Charge', { amount: 5 }, { key });
      expect([refusedNow.code, reasonIn(refusedNow, 'TRY_AGAIN')]).toEqual([status.UNAVAILABLE, true]);
      expect(Number(pushbackOf(refusedNow))).toBeGreaterThanOrEqual(0);
    } finally {
      await locked.query('rollback');
      locked.release();
    }
    expect((await calls.call('Charge', { amount: 5 }, { key })).code).toBe(status.OK);
  });

  it('G17: gives the same bytes when its process has lost what it remembered', async () => {
    const key = newKey();
    const { bytes } = await (await shop()).call('Charge', { amount: 5 }, { key });
    const again = await (await shop()).call('Charge', { amount: 5 }, { key });
    expect([replayedOf(again), again.bytes?.equals(bytes ?? Buffer.alloc(0))]).toEqual(['true', true]);
  });

  it('rolls back a handler that never answers', async () => {
    const calls = await shop({ handlerTimeoutMs: 100 }, () => new Promise(() => {}));
    const key = newKey();
    const late = await calls.call('Charge', { amount: 5 }, { key });
    expect([late.code, reasonIn(late, 'TRY_AGAIN'), await chargesUnder(key)]).toEqual([status.UNAVAILABLE, true, 0]);
    expect(database.pool.totalCount - database.pool.idleCount).toBe(0);
  });

  it.each(['deadline', 'hang-up'])('G13: goes on after the caller’s %s; the retry gets the answer', async (how) => {
    const { during, begun, end } = held();
    const calls = await shop({}, during);
    const key = newKey();
    const hangUp = new AbortController();
    const options = how === 'deadline' ? { key, timeoutMs: 300 } : { key, signal: hangUp.signal };
    const first = calls.call('Charge', { amount: 5 }, options);
    await begun;
    hangUp.abort();
    expect((await first).code).toBe(how === 'deadline' ? status.DEADLINE_EXCEEDED : status.CANCELLED);
    end();
    const retry = await calls.call('Charge', { amount: 5 }, { key });
    expect([retry.code, replayedOf(retry), await chargesUnder(key)]).toEqual([status.OK, 'true', 1]);
  });

  it('G14: hedged over two processes is one effect, and the losers’ end doesn’t end the winner', async () => {
    const all = [await shop(), await shop()] as const;
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, at) => (all[at % 2] ?? all[0]).call('Charge', { amount: 5 }, { key })),
    );
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => status.OK));
    expect(answers.filter((answered) => replayedOf(answered) === 'false')).toHaveLength(1);
    expect(await chargesUnder(key)).toBe(1);
  });

  it('H16: refuses a key that is too old to be remembered, unless it is', async () => {
    const [known, unknown] = [newKey(), newKey()];
    await (await shop()).call('Charge', { amount: 5 }, { key: known });
    const later = await shop({ now: () => Date.now() + 31 * 24 * 60 * 60 * 1_000 });
    expect(reasonIn(await later.call('Charge', { amount: 5 }, { key: unknown }), 'IDEMPOTENCY_KEY_EXPIRED')).toBe(true);
    expect(replayedOf(await later.call('Charge', { amount: 5 }, { key: known }))).toBe('true');
  });

  it('H17: keeps tenants apart, and answers a caller without any as the application says', async () => {
    const tenantOf = (said: string) => {
      if (said === 'nobody') throw new Nobody();
      return said;
    };
    const calls = await shop({ tenantOf });
    const key = newKey();
    await calls.call('Refund', { amount: 1 }, { key });
    expect((await calls.call('Refund', { amount: 2 }, { key, tenant: 'eve' })).code).not.toBe(
      status.FAILED_PRECONDITION,
    );
    expect((await calls.call('Refund', { amount: 1 }, { key, tenant: 'nobody' })).code).toBe(status.UNAUTHENTICATED);
  });

  it('G15: fails closed while the database is away', async () => {
    const gone = await testDatabase('grpc_gone', [idempotencyMigrations]);
    const calls = await shop({ pool: gone.pool });
    await gone.drop();
    const refusedNow = await calls.call('Charge', { amount: 5 }, { key: newKey() });
    expect([refusedNow.code, reasonIn(refusedNow, 'STORE_UNAVAILABLE')]).toEqual([status.UNAVAILABLE, true]);
  });
});
