import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, intercept, isCheckpointFlush, SagaTest } from '../../test/test-participants.ts';
import type { Engine } from '../engine/engine.ts';
import type { SagaMetrics } from '../engine/ports.ts';

const WAIT_MS = 15_000;
/** Long enough that nothing in a test waits for it: a process with such a lease is believed to be alive. */
const LONG_LEASE_MS = 600_000;
const NO_SUCH_OWNER = 0;
let test: SagaTest;

beforeAll(async () => {
  test = await SagaTest.create('recovery');
  await test.database.pool.query('create table answers (id text primary key, answer text)');
});
afterEach(() => test.killAll());
afterAll(() => test.drop());

async function settledBy(engine: Engine, id: string) {
  const outcome = await engine.waitForEnd(id, WAIT_MS);
  if (outcome.kind !== 'ended') throw new Error(`saga ${id} is ${outcome.kind}`);
  return outcome.snapshot;
}

async function row(id: string): Promise<Record<string, unknown>> {
  return (await test.database.pool.query('select * from holdfast.sagas where id = $1', [id])).rows[0];
}

async function expireLease(ownerId: number | null): Promise<void> {
  await test.database.pool.query(
    `update holdfast.owners set lease_until = clock_timestamp() - interval '1 second' where owner_id = $1::bigint`,
    [ownerId],
  );
}

function countingMetrics() {
  const counts = {
    started: 0,
    ended: 0,
    waiting: 0,
    woken: 0,
    adopted: 0,
    fenced: 0,
    parked: 0,
    retried: 0,
    flushed: 0,
  };
  const metrics: SagaMetrics = {
    sagaStarted: () => void counts.started++,
    sagaEnded: () => void counts.ended++,
    sagaParked: () => void counts.parked++,
    sagaWaiting: () => void counts.waiting++,
    sagasWoken: (count) => {
      counts.woken += count;
    },
    sagasAdopted: (count) => {
      counts.adopted += count;
    },
    sagaFenced: () => void counts.fenced++,
    stepRetried: () => void counts.retried++,
    flushed: () => void counts.flushed++,
  };
  return { counts, metrics };
}

const STORES_ANSWER = {
  commitHook: {
    name: 'fix-answer',
    text: `update answers set answer = w.payload from written w
            where answers.id = w.id and w.payload is not null and answers.answer is null`,
  },
  hookPayload: ({ state }: { state: string }) => (/completed|failed/.test(state) ? state : null),
};

/**
 * Starts a saga on an engine of its own that crashes at its nth checkpoint: before it is sent, or once it is durable.
 *
 * @returns the dead owner; its lease has yet to run out
 */
async function crashAt(id: string, n: number, when: 'before' | 'after'): Promise<number | null> {
  const crashed = Promise.withResolvers<void>();
  let flushes = 0;
  let dead = false;
  const die = () => {
    dead = true;
    engine.abandon();
    crashed.resolve();
    return Promise.reject(new Error('Connection terminated'));
  };
  const engine = await test.engine({ ...STORES_ANSWER, leaseMs: LONG_LEASE_MS }, (pool) =>
    intercept(pool, async (sql, values, run) => {
      if (dead) throw new Error('Connection terminated');
      if (!isCheckpointFlush(sql, values)) return await run();
      flushes += 1;
      if (flushes < n) return await run();
      if (when === 'after') await run();
      return await die();
    }),
  );
  const { ownerId } = engine;
  await test.database.pool.query('insert into answers (id) values ($1)', [id]);
  await test.start(engine, id);
  await crashed.promise;
  await test.kill(engine);
  return ownerId;
}

describe('S1: a crash at any checkpoint', () => {
  const crashes = (checkpoints: number) =>
    Array.from({ length: checkpoints }, (_, at) => at + 1).flatMap((n) =>
      (['before', 'after'] as const).map((when) => ({ n, when })),
    );

  it('on the way forward leaves a saga that others complete, each effect once', async () => {
    const cases = crashes(4).map((crash) => ({ ...crash, id: `forward-${crash.n}-${crash.when}` }));
    const dead = await Promise.all(cases.map(({ id, n, when }) => crashAt(id, n, when)));
    await Promise.all(dead.map(expireLease));
    const survivor = await test.engine(STORES_ANSWER);
    for (const { id, n, when } of cases) {
      expect(await settledBy(survivor, id), id).toMatchObject({ state: 'completed', revision: 4 });
      expect((await test.effects(id)).map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done']);
      // A process that crashed after the last checkpoint had nothing left to be adopted.
      expect((await row(id)).epoch, id).toBe(n === 4 && when === 'after' ? 1 : 2);
    }
    const { rows } = await test.database.pool.query(`select answer from answers where id like 'forward-%'`);
    expect(rows).toEqual(cases.map(() => ({ answer: 'completed' })));
  });

  it('on the way back leaves a saga that others undo to its end', async () => {
    test.onAct('*', 'ship', async (context, effect) =>
      context.sagaId.startsWith('backward') ? { kind: 'refused', reason: 'NO', message: 'no' } : await effect(),
    );
    const cases = crashes(6).map((crash) => ({ ...crash, id: `backward-${crash.n}-${crash.when}` }));
    const dead = await Promise.all(cases.map(({ id, n, when }) => crashAt(id, n, when)));
    await Promise.all(dead.map(expireLease));
    const survivor = await test.engine(STORES_ANSWER);
    for (const { id, n, when } of cases) {
      expect(await settledBy(survivor, id), id).toMatchObject({ state: 'failed', failure: { reason: 'NO' } });
      expect((await test.effects(id)).map(({ state }) => state)).toEqual(['undone', 'undone', 'sealed']);
      expect((await row(id)).epoch, id).toBe(n === 6 && when === 'after' ? 1 : 2);
    }
    const { rows } = await test.database.pool.query(`select answer from answers where id like 'backward-%'`);
    expect(rows).toEqual(cases.map(() => ({ answer: 'failed' })));
  });
});

describe('adoption', () => {
  it('S1: finds sagas whose owner has no row, and of two adopters each saga goes to one', async () => {
    const ids = Array.from({ length: 130 }, (_, n) => `orphan-${n}`);
    for (const id of ids) await test.insert(id, NO_SUCH_OWNER);
    const first = countingMetrics();
    const second = countingMetrics();
    const engines = await Promise.all([
      test.engine({ metrics: first.metrics }),
      test.engine({ metrics: second.metrics }),
    ]);
    for (const id of ids) {
      expect((await settledBy(engines[0], id)).state).toBe('completed');
      expect((await row(id)).epoch, id).toBe(2);
      expect(await test.callNames(id), id).toHaveLength(4);
    }
    expect(first.counts.adopted + second.counts.adopted).toBe(ids.length);
  });

  it('takes no more than there is room for, and the rest later', async () => {
    const ids = Array.from({ length: 8 }, (_, n) => `room-${n}`);
    let most = 0;
    for (const id of ids) {
      test.onAct(id, 'charge', async (_, effect) => {
        most = Math.max(most, engine.stats().running);
        return await effect();
      });
      await test.insert(id, NO_SUCH_OWNER);
    }
    const engine = await test.engine({ maxRunning: 2 });
    for (const id of ids) expect((await settledBy(engine, id)).state).toBe('completed');
    expect(most).toBe(2);
  });

  it('leaves sagas alone whose definition it does not know', async () => {
    await test.insert('newer', NO_SUCH_OWNER, test.define({ name: 'newer' }));
    await test.insert('known', NO_SUCH_OWNER);
    const engine = await test.engine();
    await settledBy(engine, 'known');
    expect(await row('newer')).toMatchObject({ owner_id: NO_SUCH_OWNER, epoch: 1 });
  });

  it('turns a saga back that was cancelled while no process ran it', async () => {
    await test.insert('cancelled-orphan', NO_SUCH_OWNER);
    await test.database.pool.query(
      `update holdfast.sagas set cancel_requested_at = clock_timestamp() where id = 'cancelled-orphan'`,
    );
    const engine = await test.engine();
    expect((await settledBy(engine, 'cancelled-orphan')).state).toBe('cancelled');
    expect(await test.callNames('cancelled-orphan')).toEqual(['undo reserve']);
  });

  it('S1: finds an own saga whose insert was committed and whose reply was lost', async () => {
    const engine = await test.engine();
    const { ownerId } = engine;
    const begun = engine.beginWith('reply-lost', async (owner) => {
      await test.insert('reply-lost', owner);
      throw new Error('Connection terminated');
    });
    await expect(begun).rejects.toThrow('Connection terminated');
    expect((await settledBy(engine, 'reply-lost')).state).toBe('completed');
    expect((await row('reply-lost')).owner_id).toBe(ownerId);
  });

  it('does not adopt a saga whose insert has not answered yet', async () => {
    let listed = 0;
    const engine = await test.engine({}, (pool) =>
      intercept(pool, async (sql, _values, run) => {
        const result = (await run()) as { rows: { id: string }[] };
        if (sql === 'saga.own-neglected' && result.rows.some(({ id }) => id === 'held')) listed += 1;
        return result;
      }),
    );
    await engine.beginWith('held', async (ownerId) => {
      const inserted = await test.insert('held', ownerId);
      await eventually(async () => listed >= 2);
      expect(await row('held')).toMatchObject({ epoch: 1, revision: 0 });
      return { kind: 'begun', row: inserted };
    });
    expect((await settledBy(engine, 'held')).state).toBe('completed');
    expect((await row('held')).epoch).toBe(1);
  });
});

describe('a process that only seemed dead', () => {
  it('S2: writes nothing once its saga is adopted, and drops it', async () => {
    const late = Promise.withResolvers<void>();
    const successor = Promise.withResolvers<void>();
    test.onAct('zombie', 'charge', async (context, effect) => {
      if (context.epoch === 1) await late.promise;
      // The zombie's effect is never fenced here: its checkpoint must be, by itself.
      return context.epoch === 1 ? { kind: 'completed', output: { done: 'by the zombie' } } : await effect();
    });
    test.onAct('zombie', 'ship', async (_, effect) => {
      await successor.promise;
      return await effect();
    });
    const { counts, metrics } = countingMetrics();
    const zombie = await test.engine({ leaseMs: LONG_LEASE_MS, metrics });
    await test.start(zombie, 'zombie');
    await eventually(async () => (await test.callNames('zombie')).includes('act charge'));
    await expireLease(zombie.ownerId);
    const engine = await test.engine();
    await eventually(async () => (await test.callNames('zombie')).includes('act ship'));
    const before = await row('zombie');
    expect(before).toMatchObject({ epoch: 2, position: 2 });

    late.resolve();
    await eventually(async () => zombie.stats().running === 0);
    expect(counts.fenced).toBe(1);
    expect(await row('zombie')).toEqual(before);
    successor.resolve();
    expect((await settledBy(engine, 'zombie')).outputs.charge).toEqual({ done: 'charge' });
    const attempts = (await engine.readSaga('zombie'))?.attempts.map(({ step, epoch }) => `${step} ${epoch}`);
    expect(attempts).toEqual(['reserve 1', 'charge 2', 'ship 2', 'notify 2']);
  });

  it('S2: drops a saga when a participant fences its call', async () => {
    const { counts, metrics } = countingMetrics();
    const zombie = await test.engine({ leaseMs: LONG_LEASE_MS, metrics });
    test.onAct('fenced-call', 'reserve', async (context, effect) =>
      context.epoch === 1 ? { kind: 'fenced', detail: 'a newer owner was here' } : await effect(),
    );
    await test.start(zombie, 'fenced-call');
    await eventually(async () => zombie.stats().running === 0);
    expect(counts.fenced).toBe(1);
    expect(await row('fenced-call')).toMatchObject({ state: 'running', revision: 0 });
    await expireLease(zombie.ownerId);
    const engine = await test.engine();
    expect((await settledBy(engine, 'fenced-call')).state).toBe('completed');
  });
});

describe('the lease of a process', () => {
  it('once expired is never renewed: the process comes back as a new owner and adopts its own sagas', async () => {
    const engine = await test.engine();
    const before = engine.ownerId;
    test.onAct('own', 'charge', async (context, effect) =>
      context.epoch === 1 ? { kind: 'unknown', detail: 'busy', retryAfterMs: 60_000 } : await effect(),
    );
    await test.start(engine, 'own');
    await eventually(async () => (await test.callNames('own')).includes('act charge'));
    await expireLease(before);
    expect((await settledBy(engine, 'own')).state).toBe('completed');
    expect(engine.ownerId).toBeGreaterThan(before ?? Number.POSITIVE_INFINITY);
    expect(await row('own')).toMatchObject({ owner_id: engine.ownerId, epoch: 2 });
  });

  it('is lost without the database: nothing new is started, and all comes back with it', async () => {
    let down = false;
    const engine = await test.engine({}, (pool) =>
      intercept(pool, async (_sql, _values, run) => {
        if (down) throw new Error('Connection terminated');
        return await run();
      }),
    );
    const before = engine.ownerId;
    const charge = Promise.withResolvers<void>();
    test.onAct('outage', 'charge', async (context, effect) => {
      if (context.epoch === 1) await charge.promise;
      return await effect();
    });
    await test.start(engine, 'outage');
    await eventually(async () => (await test.callNames('outage')).includes('act charge'));
    down = true;
    await eventually(async () => engine.ownerId === null);
    expect((await engine.begin(test.definition, 'refused', { note: '' })).kind).toBe('unavailable');
    charge.resolve();
    await eventually(async () => engine.stats().running === 0);
    expect(await test.callNames('outage')).not.toContain('act ship');
    down = false;
    expect((await settledBy(engine, 'outage')).state).toBe('completed');
    expect(engine.ownerId).toBeGreaterThan(before ?? Number.POSITIVE_INFINITY);
  });

  it('is released by a stop, so that others adopt at once; running attempts reach their checkpoint', async () => {
    const engine = await test.engine({ leaseMs: LONG_LEASE_MS });
    const entered = Promise.withResolvers<void>();
    const charge = Promise.withResolvers<void>();
    test.onAct('handed-over', 'charge', async (_, effect) => {
      entered.resolve();
      await charge.promise;
      return await effect();
    });
    test.onAct('handed-over', 'ship', async (context, effect) =>
      context.epoch === 1 ? { kind: 'unknown', detail: 'busy', retryAfterMs: 60_000 } : await effect(),
    );
    await test.start(engine, 'handed-over');
    await entered.promise;
    const stopped = engine.stop({ graceMs: 1_000 });
    charge.resolve();
    await stopped;
    await test.closePool(engine);
    expect(await row('handed-over')).toMatchObject({ state: 'running', position: 2, epoch: 1 });
    const survivor = await test.engine();
    expect((await settledBy(survivor, 'handed-over')).state).toBe('completed');
    expect((await row('handed-over')).epoch).toBe(2);
  });

  it('S1: is ended by the process that replaces a dead one under its name, and by no other', async () => {
    const dead = await test.engine({ name: 'place-1', leaseMs: LONG_LEASE_MS });
    test.onAct('left-in-place', 'charge', async (context, effect) =>
      context.epoch === 1 ? { kind: 'unknown', detail: 'busy', retryAfterMs: 60_000 } : await effect(),
    );
    await test.start(dead, 'left-in-place');
    await eventually(async () => (await test.callNames('left-in-place')).includes('act charge'));
    dead.abandon();
    const elsewhere = await test.engine({ name: 'place-2', isNameUnique: true });
    const ofThatName = await test.engine({ name: 'place-1' });
    // Both have looked for sagas to adopt by the time that they have ended one of their own.
    for (const engine of [elsewhere, ofThatName]) {
      await test.start(engine, `own-of-${engine.ownerId}`);
      await settledBy(engine, `own-of-${engine.ownerId}`);
    }
    expect(await row('left-in-place')).toMatchObject({ state: 'running', epoch: 1 });
    const next = await test.engine({ name: 'place-1', leaseMs: LONG_LEASE_MS, isNameUnique: true });
    expect((await settledBy(next, 'left-in-place')).state).toBe('completed');
    expect((await row('left-in-place')).epoch).toBeGreaterThan(1);
  });

  it('is given up by a stop even when an attempt hangs', async () => {
    const engine = await test.engine({ leaseMs: LONG_LEASE_MS });
    test.onAct('hung-stop', 'reserve', async (context, effect) =>
      context.epoch === 1 ? await new Promise(() => {}) : await effect(),
    );
    await test.start(engine, 'hung-stop');
    const startedAt = performance.now();
    await engine.stop({ graceMs: 200 });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await test.closePool(engine);
    const survivor = await test.engine();
    expect((await settledBy(survivor, 'hung-stop')).state).toBe('completed');
  });
});
