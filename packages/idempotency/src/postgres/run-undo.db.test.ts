import { randomUUID } from 'node:crypto';
import type { Transaction } from '@holdfast/postgres';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fingerprinter, loadFingerprinter } from '../core/fingerprint.ts';
import { undoKeyOf } from '../core/key.ts';
import { createFlights } from '../core/single-flight.ts';
import { idempotencyMigrations } from '../index.ts';
import { ask, type SealedFrom } from './claim.ts';
import { type KeyedCall, runAct } from './run-act.ts';
import { runOutsideUndo, runUndo } from './run-undo.ts';

let database: TestDatabase;
let fingerprinter: Fingerprinter;
beforeAll(async () => {
  database = await testDatabase('run_undo', [idempotencyMigrations]);
  fingerprinter = await loadFingerprinter(database.pool);
  await database.pool.query('create table effects (order_id text primary key)');
});
afterAll(() => database.drop());

const TENANT = 'shop';
// Two processes of one service: they share the database and nothing else.
const [here, there] = [createFlights(), createFlights()];

function newStep() {
  const orderId = randomUUID();
  const key = `${orderId}:charge`;
  const call = (operation: string, ofKey: string, epoch = 1): KeyedCall => ({
    tenantId: TENANT,
    key: ofKey,
    operation,
    fingerprint: fingerprinter.of(operation, { orderId }),
    waitMs: 5_000,
    fence: { orderId, epoch },
  });
  return {
    orderId,
    key,
    act: () =>
      runAct(database.pool, here, call('charge', key), async (tx) => {
        await tx.query('insert into effects (order_id) values ($1)', [orderId]);
        return { kind: 'done', answer: Buffer.from('charged') };
      }),
    refusedAct: () =>
      runAct(database.pool, here, call('charge', key), async () => ({ kind: 'refused', answer: Buffer.from('no') })),
    undoCall: (epoch = 1) => call('refund', undoKeyOf(key), epoch),
  };
}
type Step = ReturnType<typeof newStep>;

const takeBack = (step: Step) => async (tx: Transaction, act: SealedFrom) => {
  const gone = await tx.query('delete from effects where order_id = $1', [step.orderId]);
  return Buffer.from(`${act}, ${gone.rowCount} taken back`);
};
const undo = (step: Step, flights = here, epoch = 1) =>
  runUndo(database.pool, flights, step.undoCall(epoch), 'charge', takeBack(step));

async function isLive({ orderId }: Step): Promise<boolean> {
  return (await database.pool.query('select from effects where order_id = $1', [orderId])).rowCount === 1;
}

describe('an undo in this database', () => {
  it('G11, K3: that comes first is answered, again with the same bytes; the late act never runs', async () => {
    const step = newStep();
    const first = await undo(step);
    expect(first).toEqual({ kind: 'executed', answer: Buffer.from('absent, 0 taken back'), replayed: false });
    expect(await undo(step)).toEqual({ ...first, replayed: true });
    expect(await step.act()).toEqual({ kind: 'sealed' });
    expect(await isLive(step)).toBe(false);
  });

  it('takes back what its act did, once', async () => {
    const step = newStep();
    await step.act();
    expect(await undo(step)).toMatchObject({ answer: Buffer.from('executed, 1 taken back'), replayed: false });
    expect(await undo(step)).toMatchObject({ answer: Buffer.from('executed, 1 taken back'), replayed: true });
    expect(await step.act()).toEqual({ kind: 'sealed' });
  });

  it('S5: of a refused act leaves the refusal as it is', async () => {
    const step = newStep();
    const refused = await step.refusedAct();
    expect(await undo(step)).toMatchObject({ answer: Buffer.from('refused, 0 taken back') });
    expect(await step.act()).toEqual({ ...refused, replayed: true });
  });

  it('K1: that fails half-way has sealed nothing and taken nothing back', async () => {
    const step = newStep();
    await step.act();
    const failing = runUndo(database.pool, here, step.undoCall(), 'charge', async (tx, act) => {
      await takeBack(step)(tx, act);
      throw new Error('half-way');
    });
    await expect(failing).rejects.toThrow('half-way');
    expect(await isLive(step)).toBe(true);
    expect(await step.act()).toMatchObject({ kind: 'executed', replayed: true });
  });

  it('K4: with a lower epoch seals nothing', async () => {
    const step = newStep();
    await step.act();
    expect(await undo(step, here, 0)).toEqual({ kind: 'fenced' });
    expect(await ask(database.pool, TENANT, step.key)).toMatchObject({ kind: 'executed' });
    expect(await isLive(step)).toBe(true);
  });

  it('G12: at the same instant as its act, in another process, leaves no effect', async () => {
    const steps = Array.from({ length: 40 }, newStep);
    await Promise.all(
      steps.map(async (step, at) => {
        // Half of them the other way round.
        const both = [() => step.act(), () => undo(step, there)];
        await Promise.all((at % 2 === 0 ? both : both.reverse()).map((run) => run()));
      }),
    );
    expect((await Promise.all(steps.map(isLive))).filter(Boolean)).toHaveLength(0);
  });
});

describe('an undo outside this database', () => {
  const plan = async () => ({ kind: 'perform' as const, plan: 'cancel' });
  const record = async (_tx: Transaction, result: string) => Buffer.from(result);

  it('K3, S4: seals its act before it calls out, and goes on with the same key until it knows', async () => {
    const step = newStep();
    const attempts: number[] = [];
    const undoing = (outcome: { kind: 'unknown'; detail: string } | { kind: 'known'; result: string }) =>
      runOutsideUndo<string, string>(database.pool, here, step.undoCall(), 'charge', {
        leaseMs: 60_000,
        prepare: plan,
        async perform(_plan, held) {
          attempts.push(held.attempt);
          expect(await step.act()).toEqual({ kind: 'sealed' });
          expect(database.pool.totalCount - database.pool.idleCount).toBe(0);
          return outcome;
        },
        record,
      });
    expect(await undoing({ kind: 'unknown', detail: 'no answer' })).toEqual({ kind: 'unknown', detail: 'no answer' });
    const done = await undoing({ kind: 'known', result: 'cancelled' });
    expect(done).toEqual({ kind: 'executed', answer: Buffer.from('cancelled'), replayed: false });
    expect(await undoing({ kind: 'known', result: 'never asked' })).toEqual({ ...done, replayed: true });
    expect(attempts).toEqual([1, 2]);
  });

  it('H12: that outlives its lease is taken over, and stores nothing when it wakes up', async () => {
    const step = newStep();
    const begun = Promise.withResolvers<void>();
    const slow = Promise.withResolvers<{ kind: 'known'; result: string }>();
    const first = runOutsideUndo<string, string>(database.pool, here, step.undoCall(), 'charge', {
      leaseMs: 60_000,
      prepare: plan,
      perform() {
        begun.resolve();
        return slow.promise;
      },
      record,
    });
    await begun.promise;
    await database.pool.query(
      `update claims set lease_until = clock_timestamp() where scope = $1 and state = 'in_flight'`,
      [step.orderId],
    );
    const again = {
      leaseMs: 60_000,
      prepare: plan,
      perform: async () => ({ kind: 'known' as const, result: 'mine' }),
      record,
    };
    const second = await runOutsideUndo(database.pool, there, step.undoCall(), 'charge', again);
    slow.resolve({ kind: 'known', result: 'too late' });
    expect(await first).toMatchObject({ kind: 'unknown' });
    expect(await undo(step)).toEqual({ ...second, replayed: true });
  });
});
