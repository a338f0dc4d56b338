import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, intercept, SagaTest } from '../../test/test-participants.ts';
import type { Waiting } from '../definition/definition.ts';

const WAIT_MS = 15_000;
const WAITING: Waiting = { kind: 'waiting', reason: 'AUTHENTICATION', waitMs: 600_000 };
let test: SagaTest;

beforeAll(async () => {
  test = await SagaTest.create('sweep');
});
afterEach(() => test.killAll());
afterAll(() => test.drop());

const states = async (prefix: string) => {
  const { rows } = await test.database.pool.query(
    `select state, count(*)::integer as n from holdfast.sagas where id like $1 group by state`,
    [`${prefix}%`],
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
};

/** Sagas that wait, and hang as soon as they are asked again. @returns lets them go on */
async function dueSagas(prefix: string, count: number): Promise<() => void> {
  const gate = Promise.withResolvers<void>();
  const engine = await test.engine();
  for (let n = 0; n < count; n++) {
    let asked = 0;
    test.onAct(`${prefix}${n}`, 'charge', async (_, effect) => {
      if (asked++ === 0) return WAITING;
      await gate.promise;
      return await effect();
    });
    await test.start(engine, `${prefix}${n}`);
  }
  await eventually(async () => (await states(prefix)).waiting === count);
  await test.kill(engine);
  await test.database.pool.query(`update holdfast.sagas set wake_at = clock_timestamp() where id like $1`, [
    `${prefix}%`,
  ]);
  return gate.resolve;
}

describe('a sweep', () => {
  it('leaves room to new sagas, however many are due', async () => {
    const letGo = await dueSagas('crowd-', 12);
    const engine = await test.engine({ maxRunning: 8, leaseMs: 300 });
    await eventually(async () => engine.stats().running >= 6);
    await test.start(engine, 'begun-beside');
    expect((await engine.waitForEnd('begun-beside', WAIT_MS)).kind).toBe('ended');
    expect(await states('crowd-')).toEqual({ running: 6, waiting: 6 });
    letGo();
    await eventually(async () => (await states('crowd-')).completed === 12);
  });

  it('S1: goes on past sagas that can’t be taken, and says so of some', async () => {
    const dead = await test.engine({ name: 'locked' });
    const gate = Promise.withResolvers<void>();
    for (let n = 0; n < 5; n++) {
      test.onAct(`dead-${n}`, 'reserve', async (_, effect) => {
        await gate.promise;
        return await effect();
      });
      await test.start(dead, `dead-${n}`);
    }
    const letGo = await dueSagas('due-', 15);
    await test.kill(dead);
    const isLocked = (id: unknown) => /^due-(0|1|2|3|10|11|12)$|^dead-0$/.test(String(id));
    const said: unknown[] = [];
    const log = { info() {}, error() {}, warn: (fields: object, message: string) => void said.push([fields, message]) };
    const engine = await test.engine({ name: 'locked', isNameUnique: true, leaseMs: 60_000, log }, (pool) =>
      intercept(pool, async (sql, values, run) => {
        const isTaken = /saga\.(wake|adopt)$/.test(sql) && values.some(isLocked);
        if (isTaken) throw Object.assign(new Error('could not obtain lock'), { code: '55P03' });
        return await run();
      }),
    );
    gate.resolve();
    letGo();
    await eventually(async () => (await states('due-')).completed === 8 && (await states('dead-')).completed === 4);
    expect(said.map((one) => JSON.stringify(one)).filter((one) => one.includes('could not be taken'))).toHaveLength(8);
    expect(await states('due-')).toEqual({ completed: 8, waiting: 7 });
    await test.kill(engine);
    // Else the engines of the tests below would take those seven beside their own sagas.
    await test.database.pool.query(
      `update holdfast.sagas set wake_at = clock_timestamp() + interval '1 day' where state = 'waiting' and id like 'due-%'`,
    );
  });

  it.each([
    ['saga.due', 'dead'],
    ['saga.dead-owners', 'due'],
    ['saga.own-neglected', 'due'],
  ])('S1: has its other parts when %s fails', async (failing, others) => {
    const prefix = `${failing.slice(5)}-${others}-`;
    const name = `part of ${prefix}`;
    if (others === 'due') (await dueSagas(prefix, 2))();
    else {
      const dead = await test.engine({ name });
      let isFirst = true;
      test.onAct(`${prefix}0`, 'reserve', async (_, effect) => {
        if (isFirst) {
          isFirst = false;
          await test.kill(dead);
        }
        return await effect();
      });
      await test.start(dead, `${prefix}0`);
      await eventually(async () => !isFirst);
    }
    await test.engine({ name, isNameUnique: true }, (pool) =>
      intercept(pool, async (sql, _, run) => {
        if (sql === failing) throw Object.assign(new Error('bad row'), { code: 'XX001' });
        return await run();
      }),
    );
    // All of them: what is left here would be found by the next test's engine.
    await eventually(async () => (await states(prefix)).completed === (others === 'due' ? 2 : 1));
  });

  it('S1: takes what dead processes have left before what is due', async () => {
    const dead = await test.engine({ name: 'place' });
    const gate = Promise.withResolvers<void>();
    for (let n = 0; n < 6; n++) {
      test.onAct(`left-${n}`, 'reserve', async (_, effect) => {
        await gate.promise;
        return await effect();
      });
      await test.start(dead, `left-${n}`);
    }
    const letGo = await dueSagas('later-', 12);
    await test.kill(dead);
    const engine = await test.engine({ name: 'place', isNameUnique: true, maxRunning: 8, leaseMs: 300 });
    await eventually(async () => engine.stats().running >= 6);
    const { rows } = await test.database.pool.query(`select id from holdfast.sagas where owner_id = $1 order by id`, [
      engine.ownerId,
    ]);
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 6 }, (_, n) => `left-${n}`));
    gate.resolve();
    letGo();
    await eventually(async () => (await states('later-')).completed === 12);
  });
});
