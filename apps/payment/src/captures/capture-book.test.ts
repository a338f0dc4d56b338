import { type ActOutcome, defineSaga, type SagaDefinition, type UndoOutcome } from '@holdfast/saga';
import { type SimulatedCall, type SimulatedParticipant, simulateSaga } from '@holdfast/testing/simulation';
import { describe, expect, it } from 'vitest';
import type { ChargeState } from '../charge.ts';
import { captureRefusal, captureStandingOf, settledCapture } from './capture-book.ts';

/*
 * Captures and releases of one authorised charge at once, while the authorisation may run out, processes die, messages are lost, and
 * a capture that was asked for reaches the provider late: the real decisions, over a model of payment's tables and of the provider.
 */

const AUTHORIZED = 1_000;
const SEED = 20_261_130;
const SCHEDULES = 600;

/** What somebody might have thought. */
interface Bugs {
  /** Nobody captures twice, so nobody has to look whether it is decided. */
  anyoneDecides?: boolean;
  /** No answer: it was not captured. */
  lostIsFailed?: boolean;
  /** What is released has never been captured. */
  lateCaptureIsKept?: boolean;
  /** What the provider says counts, whatever has become of the charge. */
  turnedBackCounts?: boolean;
  /** Its time is over, so nothing was captured. */
  clockDecides?: boolean;
}

interface Row {
  amount: number;
  state: 'reserved' | 'captured' | 'failed' | 'released';
}

/** Payment and the provider, as the sagas of one order's payment meet them. */
class Desk {
  #charge: ChargeState = 'authorized';
  readonly #rows = new Map<string, Row>();
  readonly #released = new Set<string>();
  readonly #answers = new Map<string, ActOutcome<unknown>>();
  readonly #fences = new Map<string, number>();
  readonly #bugs: Bugs;
  /** The provider's payment, and captures that are still on their way to it. */
  #intent: { status: 'requires_capture' | 'succeeded' | 'canceled'; received: number; refunded: number } = {
    status: 'requires_capture',
    received: 0,
    refunded: 0,
  };
  readonly #late: number[] = [];
  #why: 'automatic' | null = null;
  #dice: number;

  constructor(bugs: Bugs, dice: number) {
    this.#bugs = bugs;
    this.#dice = dice;
  }

  participants(): Record<string, SimulatedParticipant> {
    return {
      decide: {
        act: (call) => this.#once(call, () => (isRelease(call) ? this.#decideRelease(call) : this.#reserve(call))),
        undo: (call) => this.#undo(call),
        live: (id) => (this.#stands(id) ? 1 : 0),
      },
      perform: {
        act: (call) => this.#once(call, () => (isRelease(call) ? this.#giveBack(call) : this.#capture(call))),
        undo: () => ({ kind: 'completed' }),
        live: (id) => (this.#isEnded(id) ? this.#judged() : 0),
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
    const state = this.#bugs.anyoneDecides ? 'authorized' : this.#charge;
    const refusal = captureRefusal({ state, authorized: AUTHORIZED }, amount);
    if (refusal !== undefined) return refusal;
    this.#rows.set(sagaId, { amount, state: 'reserved' });
    this.#charge = 'capturing';
    return { kind: 'completed', output: null };
  }

  /** Worse than the order book lets it be: also while a capture is decided, as an undo of the order's own step may come. */
  #decideRelease({ sagaId }: SimulatedCall): ActOutcome<unknown> {
    if (this.#charge === 'captured' || this.#released.size > 0) {
      return { kind: 'refused', reason: 'CANCEL_REFUSED', message: '' };
    }
    this.#released.add(sagaId);
    this.#charge = 'undoing';
    return { kind: 'completed', output: null };
  }

  #undo({ sagaId, key, epoch }: SimulatedCall): UndoOutcome {
    if (epoch < (this.#fences.get(sagaId) ?? 0)) return { kind: 'fenced', detail: '' };
    this.#fences.set(sagaId, epoch);
    // The seal: a late act finds it.
    this.#answers.set(key.slice(0, -':undo'.length), { kind: 'refused', reason: 'SEALED', message: '' });
    const row = this.#rows.get(sagaId);
    if (row?.state === 'reserved') {
      row.state = 'released';
      if (this.#charge === 'capturing') this.#charge = 'authorized';
    }
    // A release is not taken back: it has no amount, and its saga is as good as done.
    if (this.#released.delete(sagaId) && this.#charge === 'undoing') this.#charge = 'authorized';
    return { kind: 'completed' };
  }

  #capture({ sagaId }: SimulatedCall): ActOutcome<unknown> {
    const row = this.#rows.get(sagaId);
    if (row === undefined) return { kind: 'unknown', detail: 'nothing is decided' };
    if (row.state !== 'reserved') return { kind: 'completed', output: row.state };
    this.#goOn();
    if (this.#charge === 'capturing' && this.#chance(3)) {
      // The caller gives up, and the request goes on.
      this.#late.push(row.amount);
    } else if (this.#charge === 'capturing') {
      this.#captureThere(row.amount);
    }
    if (this.#chance(3) && !this.#bugs.lostIsFailed) return { kind: 'unknown', detail: 'no answer' };
    const told = this.#told();
    if (told.kind === 'open' || told.kind === 'unclear') {
      if (!this.#bugs.lostIsFailed && !this.#bugs.clockDecides) return { kind: 'unknown', detail: 'still open' };
    }
    const found = told.kind === 'captured' ? told : { kind: 'gone' as const, reason: 'authorization_expired' as const };
    const charge = this.#bugs.turnedBackCounts ? { state: 'capturing' as const } : { state: this.#charge };
    const settled = settledCapture(charge, row.amount, found);
    Object.assign(row, { state: settled.state, amount: settled.amount });
    if (this.#charge === 'capturing') this.#charge = settled.chargeState;
    return { kind: 'completed', output: row.state };
  }

  #giveBack({ sagaId }: SimulatedCall): ActOutcome<unknown> {
    if (!this.#released.has(sagaId)) return { kind: 'unknown', detail: 'nothing is decided' };
    this.#goOn();
    if (this.#intent.status === 'requires_capture') this.#intent.status = 'canceled';
    else if (this.#intent.status === 'succeeded' && !this.#bugs.lateCaptureIsKept) {
      this.#intent.refunded = this.#intent.received;
    }
    if (this.#chance(3)) return { kind: 'unknown', detail: 'no answer' };
    this.#charge = this.#intent.received > 0 ? 'refunded' : 'cancelled';
    return { kind: 'completed', output: null };
  }

  /** What happens meanwhile: requests arrive, and time passes. */
  #goOn(): void {
    if (this.#chance(2)) for (const amount of this.#late.splice(0)) this.#captureThere(amount);
    if (this.#intent.status !== 'requires_capture' || !this.#chance(8)) return;
    this.#intent.status = 'canceled';
    this.#why = 'automatic';
  }

  #captureThere(amount: number): void {
    if (this.#intent.status !== 'requires_capture') return;
    Object.assign(this.#intent, { status: 'succeeded', received: amount });
  }

  #told() {
    const { status, received } = this.#intent;
    return captureStandingOf({ status, amount_received: received, cancellation_reason: this.#why });
  }

  #stands(id: string): boolean {
    const row = this.#rows.get(id);
    return this.#released.has(id) || (row !== undefined && row.state !== 'released');
  }

  #isEnded(id: string): boolean {
    const row = this.#rows.get(id);
    if (row !== undefined) return row.state === 'captured' || row.state === 'failed';
    return this.#released.has(id) && (this.#charge === 'refunded' || this.#charge === 'cancelled');
  }

  /** M1, as the auditor judges it: 1 when the books are right. */
  #judged(): number {
    // Whatever is still on its way arrives.
    for (const amount of this.#late.splice(0)) this.#captureThere(amount);
    const rows = [...this.#rows.values()];
    const captured = rows.filter(({ state }) => state === 'captured');
    const net = this.#intent.received - this.#intent.refunded;
    if (captured.length > 1) return 2;
    // While it is being captured or given back, it is nobody's yet.
    if (this.#charge === 'capturing' || this.#charge === 'undoing') return 1;
    if (net !== captured.reduce((sum, { amount }) => sum + amount, 0)) return 3;
    return (this.#charge === 'captured') === (captured.length === 1) ? 1 : 4;
  }

  #chance(of: number): boolean {
    this.#dice = (this.#dice * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(this.#dice / 65_536) % of === 0;
  }
}

const isRelease = ({ input }: SimulatedCall): boolean => (input as { amount: number }).amount === 0;

const nothing = async () => ({ kind: 'completed', output: null }) as const;
const timing = { timeoutMs: 50, retry: { baseMs: 4, capMs: 40 } };
const definition = defineSaga<{ amount: number }, { decide: null; perform: null }>()({
  name: 'capture-order',
  deadlineMs: 60_000,
  steps: [
    { name: 'decide', kind: 'pivot', act: nothing, undo: async () => ({ kind: 'completed' }), ...timing },
    { name: 'perform', kind: 'retriable', act: nothing, ...timing },
  ],
}) as unknown as SagaDefinition;

function run(bugs: Bugs = {}) {
  let desks = 0;
  return simulateSaga(
    {
      definition,
      participants: () => new Desk(bugs, (desks++ * 7_919) % 2_147_483_648).participants(),
      // Wholly, in part, or not at all.
      input: (random) => ({ amount: [AUTHORIZED, 400, 0][Math.floor(random() * 3)] ?? 0 }),
    },
    { schedules: SCHEDULES, seed: SEED },
  );
}

describe('M1: captures and releases of one payment at once', () => {
  it('take what one of them says, or nothing', async () => {
    const result = await run();
    expect(result.broken).toBeNull();
    expect(result.schedules).toBe(SCHEDULES);
    expect(result.ended.completed).toBeGreaterThan(SCHEDULES / 2);
    expect(result.ended.failed).toBeGreaterThan(SCHEDULES / 20);
  }, 30_000);

  it.each([
    ['a capture that is decided twice', { anyoneDecides: true }],
    ['a capture that is given up for want of an answer', { lostIsFailed: true }],
    ['a late capture that is not given back', { lateCaptureIsKept: true }],
    ['a capture of an order that was turned back, and is counted', { turnedBackCounts: true }],
    ['an authorisation that the clock has ended', { clockDecides: true }],
  ])('%s is found', async (_bug, bugs) => {
    const { broken } = await run(bugs);
    expect(broken?.breach).toMatchObject({ invariant: 'A1' });
  });
});

describe('what may be captured', () => {
  it.each([
    ['authorized', AUTHORIZED, undefined],
    ['authorized', 1, undefined],
    ['authorized', AUTHORIZED + 1, 'CAPTURE_EXCEEDS_AUTHORIZED'],
    ['expired', 1, 'AUTHORIZATION_EXPIRED'],
    ['capturing', 1, 'NOT_CAPTURABLE'],
    ['captured', 1, 'NOT_CAPTURABLE'],
    ['created', 1, 'NOT_CAPTURABLE'],
    ['undoing', 1, 'NOT_CAPTURABLE'],
    ['refunded', 1, 'NOT_CAPTURABLE'],
    ['cancelled', 1, 'NOT_CAPTURABLE'],
  ] as const)('S5: of a charge that is %s, %s: %s', (state, amount, reason) => {
    expect(captureRefusal({ state, authorized: AUTHORIZED }, amount)?.reason).toBe(reason);
  });

  it('S5: of no charge, nothing; of one that costs nothing, that', () => {
    expect(captureRefusal(undefined, 1)?.reason).toBe('NOT_CAPTURABLE');
    expect(captureRefusal({ state: 'captured', authorized: 0 }, 0)).toBeUndefined();
  });
});
