import type { AuditReport } from '@holdfast/testing/audit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { plantCatalogue, plantOrder, SOUND_ORDERS } from '../test/plant-order.ts';
import { openTestBooks, red, type TestBooks } from '../test/test-books.ts';
import { watchBooks } from './audit-watch.ts';

let books: TestBooks;

beforeAll(async () => {
  books = await openTestBooks();
});
afterAll(() => books.stop());
beforeEach(async () => {
  await books.empty();
  await plantCatalogue(books);
  for (const order of SOUND_ORDERS) await plantOrder(books, order);
});

/** @param before is called before each round, with its number from 1; the watch is stopped after the last one */
async function watch(rounds: number, before: (round: number) => Promise<unknown>) {
  const stopping = new AbortController();
  const logged: string[] = [];
  let round = 0;
  const end = await watchBooks({
    async audit() {
      await before(++round);
      if (round === rounds) stopping.abort();
      return await auditInTheEnd();
    },
    everyMs: 1,
    lookAgainMs: 1,
    signal: stopping.signal,
    log: (line) => logged.push(line),
  });
  return { end, logged };
}

/** These tests count rounds: one that a slow machine could not do is done again here. */
async function auditInTheEnd(tries = 5): Promise<AuditReport> {
  try {
    return await books.audit({ allowRunning: true });
  } catch (error) {
    if (tries === 1) throw error;
    return await auditInTheEnd(tries - 1);
  }
}

const loseShipment = () => books.pools.shipping.query(`delete from shipments where order_id = 'by-balance'`);

describe('A1: the watching auditor', () => {
  it('finds a violation that is planted while it watches, when it has seen it twice', async () => {
    const { end, logged } = await watch(10, async (round) => round === 2 && (await loseShipment()));
    if (end.kind !== 'violation') return expect.unreachable(logged.join('\n'));
    expect(red(end.report)).toEqual({ shipments: ['by-balance'] });
    expect(logged).toHaveLength(3);
  });

  it('raises no alarm for what is mended by the next round, nor for orders that are under way', async () => {
    await plantOrder(books, { id: 'open', state: 'running', total: 100, pays: 'card', ships: 'us' });
    const { end, logged } = await watch(4, async (round) => {
      if (round === 2) await books.pools.inventory.query('update stock set reserved = reserved + 1');
      if (round === 3) await books.pools.inventory.query('update stock set reserved = reserved - 1');
    });
    expect(end, logged.join('\n')).toEqual({ kind: 'stopped', rounds: 4, failed: 0 });
    expect(logged[1]).toContain('1 suspected');
    expect(logged[3]).toMatch(/1 under way.*right/);
  });

  it('goes on after a round that could not be done, and takes it for nothing', async () => {
    const { end, logged } = await watch(3, async (round) => {
      if (round === 2) throw new Error('the database is gone');
    });
    expect(end).toEqual({ kind: 'stopped', rounds: 2, failed: 1 });
    expect(logged[1]).toContain('the database is gone');
  });
});
