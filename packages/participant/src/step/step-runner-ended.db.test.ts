import {
  createPool,
  createSingleFlight,
  type Pool,
  TransactionControlRefused,
  TransactionEnded,
} from '@holdfast/idempotency';
import type { Transaction } from '@holdfast/postgres';
import type { TestDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Call, effectsOf, newCall, newCalls, startTestSteps, undoOf } from '../../test/test-steps.ts';
import { createStepRunner, oneByOne, type RunStep } from './step-runner.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestSteps('step_runner_ended');
});
afterAll(() => database.drop());

type End = (tx: Transaction) => Promise<unknown>;
const asIs: End = async () => undefined;
const never: End = () => Promise.reject(new Error('it ran again'));

/** Runs a call in a process of its own: its effect is a row, and `end` comes after that. */
function newStep(pool: Pool, undoes?: string): RunStep<End> {
  return createStepRunner<End>(pool, createSingleFlight(), {
    operation: undoes === undefined ? 'act' : 'undo',
    ...(undoes !== undefined && { undoes }),
    prepare: oneByOne(async (tx, { call, request: end }) => {
      await insert(tx, call.fence?.orderId);
      await end(tx);
      return { kind: 'completed', answer: Buffer.from('done') };
    }),
  });
}
const insert = (tx: Transaction, orderId: string | undefined) =>
  tx.query(`insert into effects (order_id, made_by, live) values ($1::text, 'here', true)`, [orderId]);

/** Past the guard: on the pool’s own client. */
const endUnguarded = (tx: Transaction, text: string) =>
  new Promise((resolve, reject) => {
    const { query } = Object.getPrototypeOf(tx);
    Reflect.apply(query, tx, [text, (error: Error | null) => (error ? reject(error) : resolve(undefined))]);
  });

/** Takes away what listens to the connection beside the driver itself: the last listener of each kind. */
function deafen(tx: Transaction): void {
  const { connection } = tx as unknown as { connection: NodeJS.EventEmitter };
  for (const event of ['commandComplete', 'readyForQuery']) {
    connection.off(event, connection.listeners(event).at(-1) as () => void);
  }
}

const ESCAPES = ['commit', 'commit; begin', 'rollback', 'rollback; begin', 'commit; begin; select 1 / 0'];

describe.each([false, true])('K9: the transaction of a step, pipelined: %s', (pipeline) => {
  let pool: Pool;
  beforeAll(() => {
    pool = createPool({
      databaseUrl: database.databaseUrl,
      applicationName: 'ended',
      pipeline,
      max: 4,
      keyLookupsOnly: true,
    });
  });
  afterAll(() => pool.end());

  it('nests what the effect begins, and a step that throws after that leaves nothing', async () => {
    const call = newCall();
    const nests: End = async (tx) => {
      await tx.query('begin');
      await tx.query('commit');
      throw new Error('the network was gone');
    };
    await expect(newStep(pool)(call, nests)).rejects.toThrow('the network was gone');
    expect(await effectsOf([call])).toEqual([]);
    expect(await newStep(pool)(call, asIs)).toMatchObject({ kind: 'completed', replayed: false });
  });

  it('can’t be ended by a COMMIT: it is not sent, and the retry is the one effect', async () => {
    const call = newCall();
    await expect(newStep(pool)(call, (tx) => tx.query('commit'))).rejects.toThrow(TransactionControlRefused);
    expect(await effectsOf([call])).toEqual([]);
    expect(await newStep(pool)(call, asIs)).toMatchObject({ kind: 'completed', replayed: false });
  });

  it.each(ESCAPES)(
    'that is ended past the guard by %j fails an act and an undo, and no retry runs them again',
    async (text) => {
      const ends: End = (tx) => endUnguarded(tx, text).catch(() => {});
      const [act, undo] = [newStep(pool), newStep(pool, 'act')];
      for (const [run, call] of [[act, newCall()] as const, [undo, undoOf(newCall())] as const]) {
        await expect(run(call, ends)).rejects.toMatchObject({ name: 'TransactionEnded', when: 'now' });
        const before = await effectsOf([call]);
        expect(before.length).toBeLessThanOrEqual(1);
        for (const retrying of [run, newStep(pool, run === undo ? 'act' : undefined)]) {
          await expect(retrying(call, never)).rejects.toMatchObject({ name: 'TransactionEnded', when: 'earlier' });
        }
        expect(await effectsOf([call])).toEqual(before);
      }
    },
  );

  // A transaction that has failed can't settle anything, and shows no other sign.
  it.each(ESCAPES.filter((text) => !text.includes('1 / 0')))(
    'that is ended by %j, unseen in the driver, fails by the statement that writes the claim',
    async (text) => {
      const call = newCall();
      const ends: End = async (tx) => {
        deafen(tx);
        await endUnguarded(tx, text);
      };
      await expect(newStep(pool)(call, ends)).rejects.toThrow(TransactionEnded);
      await expect(newStep(pool)(call, never)).rejects.toMatchObject({ when: 'earlier' });
    },
  );

  it('marks every call of its batch, and none of their effects is made again', async () => {
    const calls = newCalls(3) as [Call, Call, Call];
    const run = newStep(pool);
    const ends: End = (tx) => endUnguarded(tx, 'commit');
    const outcomes = await Promise.allSettled(calls.map((call, at) => run(call, at === 2 ? ends : asIs)));
    expect(outcomes).toMatchObject(Array(3).fill({ status: 'rejected', reason: { when: 'now' } }));
    for (const call of calls) await expect(run(call, never)).rejects.toMatchObject({ when: 'earlier' });
  });

  it('that stores what came of an effect outside is lent too: ended, it marks the key', async () => {
    const call = newCall();
    const outside = (end: End) =>
      createStepRunner<string, string, string>(pool, createSingleFlight(), {
        operation: 'act',
        prepare: async (_tx, calls) => calls.map(() => ({ kind: 'perform', plan: '' })),
        outside: {
          leaseMs: 60_000,
          perform: async () => ({ kind: 'completed', result: 'found' }),
          async record(tx, performed) {
            await insert(tx, call.fence.orderId);
            await end(tx);
            return performed.map(() => ({ kind: 'completed', answer: Buffer.from('done') }));
          },
        },
      });
    await expect(outside((tx) => endUnguarded(tx, 'commit'))(call, '')).rejects.toMatchObject({ when: 'now' });
    await expect(outside(never)(call, '')).rejects.toMatchObject({ name: 'TransactionEnded', when: 'earlier' });
    expect(await effectsOf([call])).toHaveLength(1);
  });
});
