import { describe, expect, it } from 'vitest';
import { createFlights } from './single-flight.ts';

/** Work that ends when it is told to. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let runs = 0;
  const run = () => {
    runs += 1;
    return promise;
  };
  return { run, resolve, reject, runs: () => runs };
}

describe('duplicates in one process', () => {
  it('K7: wait for the running one, and then run by themselves', async () => {
    const flights = createFlights();
    const order: string[] = [];
    const first = work();
    const running = flights.run('key', 1_000, first.run);
    const waiting = flights.run('key', 1_000, async () => order.push('second'));
    order.push('first ends');
    first.resolve('done');
    expect(await running).toEqual({ kind: 'ran', value: 'done' });
    expect(await waiting).toMatchObject({ kind: 'ran' });
    expect(order).toEqual(['first ends', 'second']);
  });

  it('G5: that waited too long are told so, and have run nothing', async () => {
    const flights = createFlights();
    const first = work();
    const late = work();
    const running = flights.run('key', 1_000, first.run);
    expect(await flights.run('key', 5, late.run)).toEqual({ kind: 'busy' });
    expect(late.runs()).toBe(0);
    first.resolve('done');
    await running;
  });

  it('go on when the running one fails, whose error is its own caller’s', async () => {
    const flights = createFlights();
    const first = work();
    const running = flights.run('key', 1_000, first.run);
    const waiting = flights.run('key', 1_000, async () => 'mine');
    first.reject(new Error('failed'));
    await expect(running).rejects.toThrow('failed');
    expect(await waiting).toEqual({ kind: 'ran', value: 'mine' });
  });

  it('never run two at once, however many wait', async () => {
    const flights = createFlights();
    let at = 0;
    let most = 0;
    const one = async () => {
      at += 1;
      most = Math.max(most, at);
      await Promise.resolve();
      at -= 1;
    };
    await Promise.all(Array.from({ length: 50 }, () => flights.run('key', 1_000, one)));
    expect(most).toBe(1);
  });

  it('of other keys do not wait', async () => {
    const flights = createFlights();
    const first = work();
    const running = flights.run('key', 1_000, first.run);
    expect(await flights.run('other', 1, async () => 1)).toEqual({ kind: 'ran', value: 1 });
    first.resolve('done');
    await running;
  });
});
