import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SagaTest } from '../../test/test-participants.ts';
import { systemClock } from '../engine/ports.ts';
import { Strangers, UNKNOWN } from './strangers.ts';
import { DUE } from './wake.ts';

const MANY = 20_000;
let test: SagaTest;

/** Waiting sagas: of a definition that nobody here knows all are due, of the others only the last. */
async function plant(definition: string, dueAfter: number): Promise<void> {
  await test.database.pool.query(
    `insert into holdfast.sagas (id, definition, input, state, waiting, wake_at, owner_id, deadline_at, changed_at)
     select $1 || '-' || n, $1, '{}', 'waiting', '{}',
            clock_timestamp() + case when n > $3 then interval '-1 hour' else interval '1 day' end,
            1, clock_timestamp() + interval '2 days', clock_timestamp()
       from generate_series(1, $2::integer) n`,
    [definition, MANY, dueAfter],
  );
}

beforeAll(async () => {
  test = await SagaTest.create('strangers');
  await plant('known', MANY - 1);
  await plant('gone', 0);
  await plant('gone-and-quiet', MANY);
  await test.database.pool.query('analyze holdfast.sagas');
});
afterAll(() => test.drop());

/** How many rows the plan's scans have met, those that they threw away too. */
async function rowsRead(text: string, values: unknown[]): Promise<number> {
  const { rows } = await test.database.pool.query(`explain (analyze, format json) ${text}`, values);
  type Node = Record<string, number> & { Plans?: Node[] };
  const met = (node: Node): number => {
    const own = (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0);
    const loops = node['Actual Loops'] ?? 1;
    return String(node['Node Type']).includes('Scan')
      ? own * loops + (node.Plans ?? []).reduce((sum, part) => sum + met(part), 0)
      : (node.Plans ?? []).reduce((sum, part) => sum + met(part), 0);
  };
  return met(rows[0]['QUERY PLAN'][0].Plan);
}

describe('sagas of definitions that a process does not know', () => {
  it('cost the sweeps of others nothing, however many they are, and neither do those that are not due', async () => {
    const { rows } = await test.database.pool.query({ ...DUE, values: [['known', 'other'], 100] });
    expect(rows).toEqual([{ id: `known-${MANY}`, epoch: 1 }]);
    expect(await rowsRead(DUE.text, [['known', 'other'], 100])).toBeLessThan(20);
    // A thousand are counted of each definition, and nothing is read of those that wait for their time.
    expect(await rowsRead(UNKNOWN.text, [['known']])).toBeLessThan(5_000);
  });

  it('are told of once, by name and number, and counted every minute', async () => {
    let now = 0;
    const told: object[] = [];
    const counted: number[] = [];
    const metrics = { sagasLeftAlone: (count: number) => void counted.push(count) };
    const strangers = new Strangers({
      pool: test.database.pool,
      clock: { ...systemClock, now: () => now },
      log: { info() {}, error() {}, warn: (fields) => void told.push(fields) },
      metrics: metrics as never,
      definitions: ['known'],
    });
    for (now of [0, 30_000, 60_000, 61_000, 120_000]) await strangers.look();
    expect(told).toEqual([{ definition: 'gone', sagas: 1_000 }]);
    expect(counted).toEqual([1_000, 1_000, 1_000]);
  });
});
