import type { SagaState } from '@holdfast/saga';
import { describe, expect, it } from 'vitest';
import { type CaptureOutputs, type KnownSettlement, mayFollow, viewCapture } from './settlement.ts';

const UNTIL = '2026-12-07T00:00:00.000Z';
const TOTAL = 599;

type Captured = CaptureOutputs['capture-payment'];
const TAKEN: Captured = { status: 'captured', amount: TOTAL, reason: null };
const GONE: Captured = { status: 'failed', amount: 0, reason: 'authorization_expired' };
const TOO_SMALL: Captured = { status: 'failed', amount: 0, reason: 'amount_too_small' };

interface Decided {
  state: SagaState;
  captured?: Captured;
  reason?: string;
  told?: 'expiring' | 'expired';
}

function settled(kind: 'capture' | 'release', { state, captured, reason, told }: Decided): KnownSettlement {
  const failure = reason === undefined ? null : { step: 'reserve-capture', reason, message: '' };
  const outputs = captured === undefined ? {} : { 'capture-payment': captured };
  return { kind, saga: { state, outputs, failure }, told: told ?? null };
}

const order = (state: SagaState) => ({ state, outputs: { 'charge-payment': { authorizedUntil: UNTIL } } });

describe('M1: what may be decided of an authorised order', () => {
  it.each([
    ['while it is captured', settled('capture', { state: 'running' }), []],
    ['once it is captured', settled('capture', { state: 'completed', captured: TAKEN }), []],
    ['while a capture turns back', settled('capture', { state: 'compensating' }), []],
    ['while a capture is parked', settled('capture', { state: 'parked' }), []],
    ['after a capture that came too late', settled('capture', { state: 'completed', captured: GONE }), ['release']],
    [
      'after one that payment knew to be too late',
      settled('capture', { state: 'failed', reason: 'AUTHORIZATION_EXPIRED' }),
      ['release'],
    ],
    [
      'after one of an amount that the provider does not take',
      settled('capture', { state: 'completed', captured: TOO_SMALL }),
      ['capture', 'release'],
    ],
    [
      'after one for which payment was away',
      settled('capture', { state: 'failed', reason: 'DEADLINE_EXCEEDED' }),
      ['capture', 'release'],
    ],
    ['while it is released', settled('release', { state: 'running' }), []],
    ['once it is released', settled('release', { state: 'completed' }), []],
    ['after a release that was turned back', settled('release', { state: 'cancelled' }), ['release']],
  ] as const)('%s', (_when, last, allowed) => {
    const kinds = ['capture', 'release'] as const;
    expect(kinds.filter((kind) => mayFollow(last, kind))).toEqual(allowed);
  });
});

describe('what an order shows of its capture', () => {
  it.each([
    ['running', null, 'pending'],
    ['completed', null, 'authorized'],
    ['failed', null, 'released'],
    ['completed', { kind: null, saga: undefined, told: 'expiring' }, 'authorized'],
    ['completed', { kind: null, saga: undefined, told: 'expired' }, 'expired'],
    ['completed', settled('capture', { state: 'running', told: 'expiring' }), 'capturing'],
    ['completed', settled('capture', { state: 'completed', captured: TAKEN, told: 'expiring' }), 'captured'],
    ['completed', settled('capture', { state: 'completed', captured: GONE }), 'expired'],
    ['completed', settled('capture', { state: 'completed', captured: TOO_SMALL }), 'authorized'],
    ['completed', settled('capture', { state: 'failed', reason: 'DEADLINE_EXCEEDED' }), 'authorized'],
    ['completed', settled('capture', { state: 'failed', reason: 'AUTHORIZATION_EXPIRED' }), 'expired'],
    ['completed', settled('release', { state: 'running' }), 'releasing'],
    ['completed', settled('release', { state: 'cancelled' }), 'releasing'],
    ['completed', settled('release', { state: 'completed' }), 'released'],
  ] as const)('%s with %o: %s', (state, settlement, status) => {
    const amount = status === 'captured' ? TOTAL : 0;
    expect(viewCapture(order(state), settlement)).toEqual({ status, amount, expiresAt: UNTIL });
  });
});
