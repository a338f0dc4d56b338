import { randomUUID } from 'node:crypto';
import { idempotencyMigrations, type Settlement } from '@holdfast/idempotency';
import type { Transaction } from '@holdfast/postgres';
import type { CallOptions } from '@holdfast/rpc';
import { type ServiceBinding, service, services, statusBytes } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type TestParticipant, testParticipant } from '../../test/test-participant.ts';
import type { Participant } from '../run-participant.ts';
import { keyedCall, stepAnswer } from './step-call.ts';
import { createStepRunner, oneByOne } from './step-runner.ts';

// One act of a real service, with the test's own effect: what is tested is the border between a call and its claim.
let effect: (tx: Transaction) => Promise<Settlement>;
let inventory: TestParticipant<typeof services.inventory>;
const adjust = services.inventory.AdjustStock;

function boundTo({ pool, singleFlight, fingerprinter }: Participant): ServiceBinding {
  const unused = () => Promise.reject(new Error('not part of this test'));
  const run = createStepRunner(pool, singleFlight, { operation: 'adjust', prepare: oneByOne((tx) => effect(tx)) });
  return service(services.inventory, {
    ReserveInventory: unused,
    ReleaseInventory: unused,
    ReserveRestock: unused,
    ReleaseRestock: unused,
    Restock: unused,
    GetStep: unused,
    GetStock: unused,
    PutStock: unused,
    AdjustStock: async (request, call) =>
      stepAnswer(await run(keyedCall(call, { name: 'adjust' }, request, fingerprinter), undefined)),
  });
}

// No tables but the claim's.
const noTables = [idempotencyMigrations];
beforeAll(async () => {
  inventory = await testParticipant('rpc', services.inventory, noTables, boundTo);
});
afterAll(() => inventory.stop());

const options = (key: string, timeoutMs = 5_000): CallOptions => ({ timeoutMs, tenantId: 'shop', key });
const newKey = () => `adjust-${randomUUID()}`;
const stockOf = (onHand: number): Settlement => ({
  kind: 'completed',
  answer: adjust.responseSerialize({ stock: { sku: 'a', onHand } }),
});
const call = (key: string, timeoutMs?: number) =>
  inventory.client.AdjustStock({ sku: 'a', delta: 1 }, options(key, timeoutMs));

describe('a keyed call', () => {
  it('G13: whose deadline passes is completed and stored; the same key gets its answer', async () => {
    const key = newKey();
    const running = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    effect = async () => {
      running.resolve();
      await goOn.promise;
      return stockOf(7);
    };
    const lost = call(key, 300);
    await running.promise;
    expect(await lost).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    goOn.resolve();
    effect = () => Promise.reject(new Error('it ran a second time'));
    expect(await call(key)).toMatchObject({ kind: 'completed', replayed: true, message: { stock: { onHand: 7 } } });
  });

  it('G13: whose caller hangs up is completed and stored, too', async () => {
    const key = newKey();
    const running = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    effect = async () => {
      running.resolve();
      await goOn.promise;
      return stockOf(8);
    };
    const hangUp = new AbortController();
    const lost = inventory.client.AdjustStock({ sku: 'a', delta: 1 }, { ...options(key), signal: hangUp.signal });
    await running.promise;
    hangUp.abort();
    expect(await lost).toMatchObject({ reason: 'CANCELLED' });
    goOn.resolve();
    effect = () => Promise.reject(new Error('it ran a second time'));
    expect(await call(key)).toMatchObject({ kind: 'completed', replayed: true, message: { stock: { onHand: 8 } } });
  });

  it('G3: is answered again with the stored bytes, even with members that this version does not know', async () => {
    const key = newKey();
    // Field 15 of a later version; decoding and encoding again would drop it.
    const unknown = Buffer.from([0x78, 0x01]);
    const stored = Buffer.concat([adjust.responseSerialize({ stock: { sku: 'a', onHand: 9 } }), unknown]);
    effect = async () => ({ kind: 'completed', answer: stored });
    const deserialize = vi.spyOn(adjust, 'responseDeserialize');
    await call(key);
    await call(key);
    expect(deserialize.mock.calls.map(([bytes]) => bytes.toString('hex'))).toEqual([
      stored.toString('hex'),
      stored.toString('hex'),
    ]);
    deserialize.mockRestore();
  });

  it('G6: that was refused is refused with the same words and a mark that it is a replay', async () => {
    const key = newKey();
    effect = async () => ({ kind: 'refused', answer: statusBytes('OUT_OF_STOCK', 'zu wenig für alle: 3 ≥ 2') });
    const first = await call(key);
    expect(first).toMatchObject({ reason: 'OUT_OF_STOCK', message: 'zu wenig für alle: 3 ≥ 2', pushbackMs: -1 });
    expect(await call(key)).toEqual({ ...first, replayed: true });
  });

  it('G7: that met a lock is told to try again, and nothing is stored', async () => {
    const key = newKey();
    effect = async (tx) => {
      await tx.query(`do $$ begin raise exception 'busy' using errcode = '55P03'; end $$`);
      return stockOf(1);
    };
    const refused = await call(key);
    expect(refused).toMatchObject({ reason: 'TRY_AGAIN', pushbackMs: 50 });
    effect = async () => stockOf(1);
    expect(await call(key)).toMatchObject({ kind: 'completed', replayed: false });
  });

  it('H23: that failed inside tells nothing of why, and is not stored', async () => {
    const key = newKey();
    effect = async (tx) => {
      await tx.query('select 1 from secret_table');
      return stockOf(1);
    };
    const failed = await call(key);
    expect(failed).toMatchObject({ reason: 'INTERNAL' });
    expect(JSON.stringify(failed)).not.toContain('secret');
    effect = async () => stockOf(1);
    expect(await call(key)).toMatchObject({ kind: 'completed', replayed: false });
  });

  it('G5: that runs already is asked to come back, within half of what the caller would wait', async () => {
    const key = newKey();
    const running = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    effect = async () => {
      running.resolve();
      await goOn.promise;
      return stockOf(1);
    };
    const first = call(key);
    await running.promise;
    const startedAtMs = performance.now();
    expect(await call(key, 1_000)).toMatchObject({ reason: 'REQUEST_IN_PROGRESS', pushbackMs: 50 });
    expect(performance.now() - startedAtMs).toBeLessThan(900);
    goOn.resolve();
    expect(await first).toMatchObject({ kind: 'completed' });
  });

  it('G15: without a store is UNAVAILABLE, and has run nothing', async () => {
    const broken = await testParticipant('rpc_down', services.inventory, noTables, boundTo);
    let ran = false;
    effect = async () => {
      ran = true;
      return stockOf(1);
    };
    await broken.database.drop();
    const down = await broken.client.AdjustStock({ sku: 'a', delta: 1 }, options(newKey()));
    expect(down).toMatchObject({ reason: 'STORE_UNAVAILABLE', pushbackMs: 200 });
    expect(ran).toBe(false);
    await broken.stop();
  });
});
