import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { newOrder, startTestCards, type TestCards, untilKnown } from '../../test/test-provider.ts';

let cards: TestCards;
beforeAll(async () => {
  cards = await startTestCards();
});
afterAll(() => cards?.stop());

/** How often the provider’s list was asked for. */
const looks = () => cards.line.seen.filter((call) => call === 'list-refunds').length;

it('a service looks at the provider’s refunds whether it charges or not, and once, however often it charges', async () => {
  // Longer than the test: each loop that is begun looks once.
  const client = await cards.replica({ REFUND_LOOK_MS: 3_600_000 });
  await vi.waitUntil(() => looks() === 1, 10_000);
  for (let charges = 0; charges < 5; charges++) await untilKnown(() => cards.charge(newOrder(), client));
  expect(looks()).toBe(1);
});
