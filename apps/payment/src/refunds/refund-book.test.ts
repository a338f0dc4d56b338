import { type ActOutcome, defineSaga, type SagaDefinition, type UndoOutcome } from '@holdfast/saga';
import { type SimulatedCall, type SimulatedParticipant, simulateSaga } from '@holdfast/testing/simulation';
import { describe, expect, it } from 'vitest';
import { type ChargeBook, isNews, learned, type ProviderRefund, type Refund, refusalOf } from './refund-book.ts';

/*
 * Refunds of one order at once, with some that are made at the provider in between, while processes die and messages are lost:
 * the real decisions, over a model of payment's tables and of the provider.
 */

const CAPTURED = 1_000;
const SEED = 20_261_129;
const SCHEDULES = 600;

/** What somebody might have thought. */
interface Bugs {
  /** What is under way has not been given back yet, so it does not count. */
  underWayIsFree?: boolean;
  /** A refund without an answer was not made. */
  notLookedFor?: boolean;
  /** The provider says what it said before. */
  wordGoesBack?: boolean;
  /** What was made at the provider is not our business. */
  notLearned?: boolean;
}

/** Payment and the provider, as one order's refunds meet them. */
class Desk {
  readonly #refunds = new Map<string, Refund & { attempts: number }>();
  readonly #provider: ProviderRefund[] = [];
  readonly #answers = new Map<string, ActOutcome<unknown>>();
  readonly #fences = new Map<string, number>();
  readonly #byCard: boolean;
  readonly #bugs: Bugs;
  #dice = 0;

  constructor(byCard: boolean, bugs: Bugs) {
    this.#byCard = byCard;
    this.#bugs = bugs;
  }

  participants(): Record<string, SimulatedParticipant> {
    return {
      'reserve-refund': {
        act: (call) => this.#once(call, () => this.#reserve(call)),
        undo: (call) => this.#release(call),
        live: (id) => (this.#stands(id) ? 1 : 0),
      },
      'refund-payment': {
        act: (call) => this.#once(call, () => this.#give(call)),
        undo: () => ({ kind: 'completed' }),
        live: (id) => (this.#isEnded(id) ? this.#judged(id) : 0),
      },
    };
  }

  #once({ sagaId, key, epoch }: SimulatedCall, run: () => ActOutcome<unknown>): ActOutcome<unknown> {
    if (epoch < (this.#fences.get(sagaId) ?? 0)) return { kind: 'fenced', detail: '' };
    this.#fences.set(sagaId, epoch);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const outcome = run();
    if (outcome.kind === 'completed' || outcome.kind === 'refused') this.#answers.set(key, outcome);
    return outcome;
  }

  #reserve({ sagaId, input }: SimulatedCall): ActOutcome<unknown> {
    const { amount } = input as { amount: number };
    const refusal = refusalOf(this.#book(), amount);
    if (refusal !== undefined) return refusal;
    const made = { refundId: sagaId, origin: 'api', amount, state: 'reserved', attempts: 0 } as const;
    this.#refunds.set(sagaId, { ...made, providerRefundId: null, reason: null });
    return { kind: 'completed', output: null };
  }

  #release({ sagaId, key, epoch }: SimulatedCall): UndoOutcome {
    if (epoch < (this.#fences.get(sagaId) ?? 0)) return { kind: 'fenced', detail: '' };
    this.#fences.set(sagaId, epoch);
    // The seal: a late act finds it.
    const sealed = { kind: 'refused', reason: 'SEALED', message: '' } as const;
    this.#answers.set(key.slice(0, -':undo'.length), sealed);
    const row = this.#refunds.get(sagaId);
    if (row?.state === 'reserved') row.state = 'released';
    return { kind: 'completed' };
  }

  #give({ sagaId }: SimulatedCall): ActOutcome<unknown> {
    const row = this.#refunds.get(sagaId);
    if (row === undefined) return { kind: 'unknown', detail: 'nothing is set aside' };
    if (row.state === 'succeeded' || row.state === 'failed') return { kind: 'completed', output: row.state };
    if (!this.#byCard) {
      row.state = 'succeeded';
      return { kind: 'completed', output: row.state };
    }
    row.attempts += 1;
    if (this.#chance(5)) this.#atTheProvider(150, null);
    const found = this.#provider.find(({ refundId }) => refundId === sagaId);
    const ours = (this.#bugs.notLookedFor ? undefined : found) ?? this.#atTheProvider(row.amount, sagaId);
    // The answer is lost.
    if (this.#chance(3)) return { kind: 'unknown', detail: 'no answer' };
    this.#learn();
    const told = ours?.state ?? 'failed';
    if (told === 'pending') {
      // It ends one way or the other, and the next attempt hears of it.
      Object.assign(ours as ProviderRefund, { state: this.#chance(3) ? 'failed' : 'succeeded' });
      return { kind: 'unknown', detail: 'pending' };
    }
    if (isNews(row.state, told) || this.#bugs.wordGoesBack) row.state = told;
    return { kind: 'completed', output: row.state };
  }

  /** @returns undefined when the provider refuses: more than is left */
  #atTheProvider(amount: number, refundId: string | null): ProviderRefund | undefined {
    const left = CAPTURED - sumOf(this.#provider, ['pending', 'succeeded']);
    if (amount > left) return undefined;
    const state = refundId !== null && this.#chance(4) ? 'pending' : 'succeeded';
    const made = { id: `re_${this.#provider.length}`, amount, refundId, state, reason: null, createdAtMs: 0 } as const;
    const listed: ProviderRefund = { ...made };
    this.#provider.push(listed);
    return listed;
  }

  #learn(): void {
    if (this.#bugs.notLearned) return;
    for (const refund of learned([...this.#refunds.values()], this.#provider)) {
      const { attempts } = this.#refunds.get(refund.refundId) ?? { attempts: 0 };
      this.#refunds.set(refund.refundId, { ...refund, attempts });
    }
  }

  #book(): ChargeBook {
    const rows = [...this.#refunds.values()];
    const refunding = this.#bugs.underWayIsFree ? 0 : sumOf(rows, ['reserved', 'pending']);
    return { state: 'captured', amount: CAPTURED, refunded: sumOf(rows, ['succeeded']), refunding };
  }

  #stands(id: string): boolean {
    const state = this.#refunds.get(id)?.state;
    return state !== undefined && state !== 'released';
  }

  #isEnded(id: string): boolean {
    const state = this.#refunds.get(id)?.state;
    return state === 'succeeded' || state === 'failed';
  }

  /** M1, as the auditor judges it: 1 when this refund is right, another number when the books are wrong. */
  #judged(id: string): number {
    this.#learn();
    const rows = [...this.#refunds.values()];
    const ours = this.#provider.filter(({ refundId, state }) => refundId === id && state === 'succeeded');
    if (ours.length > 1) return 2;
    if (sumOf(rows, ['succeeded', 'pending']) > CAPTURED) return 3;
    if (!this.#byCard) return 1;
    if ((ours.length === 1) !== (this.#refunds.get(id)?.state === 'succeeded')) return 4;
    return sumOf(rows, ['succeeded']) === sumOf(this.#provider, ['succeeded']) ? 1 : 5;
  }

  #chance(of: number): boolean {
    this.#dice = (this.#dice * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(this.#dice / 65_536) % of === 0;
  }
}

function sumOf(refunds: readonly { state: string; amount: number }[], states: string[]): number {
  return refunds.reduce((sum, { state, amount }) => (states.includes(state) ? sum + amount : sum), 0);
}

const nothing = async () => ({ kind: 'completed', output: null }) as const;
const timing = { timeoutMs: 50, retry: { baseMs: 4, capMs: 40 } };
const definition = defineSaga<{ amount: number }, { 'reserve-refund': null; 'refund-payment': null }>()({
  name: 'refund-order',
  deadlineMs: 60_000,
  steps: [
    { name: 'reserve-refund', kind: 'pivot', act: nothing, undo: async () => ({ kind: 'completed' }), ...timing },
    { name: 'refund-payment', kind: 'retriable', act: nothing, ...timing },
  ],
}) as unknown as SagaDefinition;

const run = (byCard: boolean, bugs: Bugs = {}) =>
  simulateSaga(
    {
      definition,
      participants: () => new Desk(byCard, bugs).participants(),
      input: (random) => ({ amount: 100 + Math.floor(random() * 700) }),
    },
    { schedules: SCHEDULES, seed: SEED },
  );

describe('M1: refunds of one order at once', () => {
  it.each([true, false])(
    'give back what they say and never more than was captured (by card: %s)',
    async (byCard) => {
      const result = await run(byCard);
      expect(result.broken).toBeNull();
      expect(result.schedules).toBe(SCHEDULES);
      expect(result.ended.completed).toBeGreaterThan(SCHEDULES / 2);
      expect(result.ended.failed).toBeGreaterThan(SCHEDULES / 20);
    },
    30_000,
  );

  it.each([
    ['two refunds past the captured amount', false, { underWayIsFree: true }],
    ['a refund that is made twice', true, { notLookedFor: true }],
    ['a refund that is counted although it failed later', true, { wordGoesBack: true, notLearned: true }],
    ['a refund at the provider that nobody learns', true, { notLearned: true }],
  ])('%s is found', async (_bug, byCard, bugs) => {
    const { broken } = await run(byCard, bugs);
    expect(broken?.breach).toMatchObject({ invariant: 'A1' });
  });
});

describe('what the provider tells', () => {
  const row: Refund = {
    refundId: 'r1',
    origin: 'api',
    amount: 10,
    state: 'reserved',
    providerRefundId: null,
    reason: null,
  };
  const told: ProviderRefund = {
    id: 're_1',
    state: 'succeeded',
    amount: 10,
    reason: null,
    refundId: 'r1',
    createdAtMs: 0,
  };

  it('M1: is learned once: of ours, by our id, then by its own; of others, under its own', () => {
    const [ours] = learned([row], [told]);
    expect(ours).toEqual({ ...row, state: 'succeeded', providerRefundId: 're_1' });
    expect(learned([ours as Refund], [told])).toEqual([]);
    const [other] = learned([row], [{ ...told, refundId: null }]);
    expect(other).toMatchObject({ refundId: 're_1', origin: 'provider', amount: 10, state: 'succeeded' });
    expect(learned([row, other as Refund], [{ ...told, refundId: null }])).toEqual([]);
  });

  it('M1: goes forward only: what has failed later has failed, and an old word changes nothing', () => {
    const given: Refund = { ...row, state: 'succeeded', providerRefundId: 're_1' };
    expect(learned([given], [{ ...told, state: 'pending' }])).toEqual([]);
    const failed = { ...told, state: 'failed', reason: 'expired_or_canceled_card' } as const;
    const [late] = learned([given], [failed]);
    expect(late).toMatchObject({ state: 'failed', reason: 'expired_or_canceled_card' });
    expect(learned([late as Refund], [told])).toEqual([]);
  });

  it('M1: of an undo is one row, of what has held; what failed on the way counts for nothing', () => {
    const undo: Refund = { ...row, refundId: 'undo', origin: 'undo', state: 'succeeded' };
    const made = (id: string, state: ProviderRefund['state']) => ({ ...told, id, state, refundId: 'undo' });
    expect(learned([], [made('re_1', 'failed'), made('re_2', 'succeeded')])).toEqual([]);
    expect(learned([undo], [made('re_1', 'failed'), made('re_2', 'succeeded')])).toEqual([]);
    const byHand = { ...told, id: 're_3', amount: 4, refundId: null };
    expect(learned([undo], [{ ...made('re_2', 'succeeded'), amount: 6 }, byHand])).toMatchObject([
      { refundId: 'undo', amount: 6, state: 'succeeded' },
      { refundId: 're_3', amount: 4, state: 'succeeded' },
    ]);
    const [failed] = learned([undo], [made('re_1', 'failed')]);
    expect(failed).toMatchObject({ refundId: 'undo', state: 'failed' });
    expect(learned([failed as Refund], [made('re_1', 'failed')])).toEqual([]);
  });

  it('M1: never makes a refund of one that was released: somebody else made that', () => {
    const [other] = learned([{ ...row, state: 'released' }], [told]);
    expect(other).toMatchObject({ refundId: 're_1', origin: 'provider' });
  });
});
