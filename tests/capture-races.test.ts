import { setTimeout as delay } from 'node:timers/promises';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, NO_FAULTS, newKey, type Reply, type System, setUpCatalogue, startSystem } from './system.ts';

// Orders that are captured at dispatch: dispatched, cancelled, run out and captured by hand at the same time, while the provider
// loses answers and processes are killed.

const ORDERS = 120;
const SPAN_MS = 1_500;
const CALM_MS = 90_000;
/** A minute on two quiet cores; more than two on a machine that does other work too. */
const RACES_TIMEOUT_MS = 300_000;
/** Two apples at 250 and a pear at 99. */
const TOTAL = 599;
const PART = 400;

let system: System;
beforeAll(async () => {
  system = await startSystem({ orchestrators: 2, participants: 2 });
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

interface Ended {
  id: string;
  status: string;
  capture: { status: string; amount: number };
}

describe('orders that are captured at dispatch', () => {
  const patient = { timeout: RACES_TIMEOUT_MS };
  it(
    'M1: raced by dispatch, cancel, expiry and a provider that loses answers end with one capture or none',
    patient,
    async () => {
      const seed = 20_261_130;
      console.log(`seed ${seed}`);
      const generator = xoroshiro128plus(seed);
      const random = () => uniformFloat64(generator);
      const placed = await Promise.all(
        Array.from({ length: ORDERS }, async () => {
          const payment = { method: 'pm_card_visa', capture: 'on_dispatch' };
          const key = newKey();
          const { body } = await system.until(
            'the order is accepted',
            async () => {
              const reply = await system.place({ payment }, { key, prefer: 'wait=20' });
              if (reply.body.retryable === true) return undefined;
              expect(reply.status, reply.text).toBe(201);
              return reply;
            },
            CALM_MS,
          );
          return body.id as string;
        }),
      );
      for (const id of placed) expect(await system.untilEnded(id, CALM_MS)).toMatchObject({ status: 'completed' });
      await system.setFaults({
        seed,
        payments: { lostAnswer: 0.15, slow: 0.1, slowMs: 300, error500: 0.1, refused: 0 },
      });
      const racing = Promise.all(placed.map((id) => race(id, random)));
      await delay(SPAN_MS / 3);
      await system.cluster.kill('payment', 0);
      await system.cluster.kill('orchestrator', 1);
      await delay(SPAN_MS / 3);
      await system.cluster.kill('payment', 1);
      const captureKeys = new Set(await racing);
      expect(captureKeys.size).toBeGreaterThan(0);
      await system.setFaults({ payments: NO_FAULTS });
      const ended: Ended[] = [];
      for (const id of placed) ended.push(await untilDecided(id));
      const ledger = await ledgerOf();
      const wrong = ended.flatMap(({ id, status, capture }) => {
        const { captured = 0, refunded = 0, captures = 0 } = ledger.get(id) ?? {};
        const isSent = capture.status === 'captured';
        const owed = isSent ? capture.amount : 0;
        const right = status === (isSent ? 'completed' : 'cancelled') && captured - refunded === owed && captures <= 1;
        return right
          ? []
          : [`${id}: ${status}, ${JSON.stringify(capture)}, ${captures} captures of ${captured}, -${refunded}`];
      });
      expect(wrong, `seed ${seed}`).toEqual([]);
      // Races that all end alike are none.
      const ways = new Set(ended.map(({ capture }) => `${capture.status} ${capture.amount}`));
      expect([...ways]).toEqual(expect.arrayContaining(['released 0', `captured ${TOTAL}`, `captured ${PART}`]));
      await expectSound(system);
    },
  );
});

/** Each at some instant, more than once, and whatever is answered. */
async function race(id: string, random: () => number): Promise<string> {
  const moves: (() => Promise<unknown>)[] = [];
  const kind = random();
  const amount = random() < 0.4 ? { amount: PART } : undefined;
  const dispatchKey = newKey();
  const dispatches = () => send('POST', `/v1/orders/${id}/dispatch`, amount, dispatchKey);
  if (kind < 0.75) moves.push(dispatches, dispatches);
  if (kind > 0.35) moves.push(() => send('POST', `/v1/orders/${id}/cancel`, undefined, newKey()));
  if (random() < 0.1) moves.push(async () => bank('/bank/expire', id));
  const at = moves.map(() => random() * SPAN_MS);
  await Promise.all(
    moves.map(async (move, n) => {
      await delay(at[n]);
      await move().catch(() => undefined);
    }),
  );
  return dispatchKey;
}

async function send(method: string, path: string, body: object | undefined, key: string): Promise<Reply> {
  return await system.send(method, path, body, { key });
}

/** As the bank does in the end. It refuses once the payment is captured or cancelled. */
async function bank(path: string, id: string): Promise<void> {
  const { body } = await system.send('GET', `/v1/orders/${id}`);
  const response = await fetch(`${system.cluster.run.sandbox}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ paymentIntent: body.paymentId }),
  });
  await response.body?.cancel();
}

/** Who was not heard asks again, and what has run out or was left undecided is cancelled. */
async function untilDecided(id: string): Promise<Ended> {
  return await system.until(
    `order ${id} is decided`,
    async () => {
      const { status, body } = await system.send('GET', `/v1/orders/${id}`);
      if (status !== 200) return undefined;
      if (['captured', 'released'].includes(body.capture.status)) return body as Ended;
      if (['authorized', 'expired'].includes(body.capture.status)) {
        await system.send('POST', `/v1/orders/${id}/cancel`, undefined, { key: newKey() });
      }
      return undefined;
    },
    CALM_MS,
  );
}

interface LedgerEntry {
  orderId: string | null;
  captured: number;
  refunded: number;
  captures: number;
}

async function ledgerOf(): Promise<Map<string, LedgerEntry>> {
  const books = new Map<string, LedgerEntry>();
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? 'limit=1000' : `limit=1000&cursor=${cursor}`;
    const page = (await (await fetch(`${system.cluster.run.sandbox}/ledger/payments?${query}`)).json()) as {
      payments: LedgerEntry[];
      nextCursor: string | null;
    };
    for (const entry of page.payments) {
      if (entry.orderId === null) continue;
      const before = books.get(entry.orderId) ?? { orderId: entry.orderId, captured: 0, refunded: 0, captures: 0 };
      books.set(entry.orderId, {
        orderId: entry.orderId,
        captured: before.captured + entry.captured,
        refunded: before.refunded + entry.refunded,
        captures: before.captures + entry.captures,
      });
    }
    cursor = page.nextCursor;
  }
  return books;
}
