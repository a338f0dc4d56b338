import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { drawPlan, type FaultRates } from './faults.ts';

const NONE: FaultRates = { lostAnswer: 0, slow: 0, slowMs: 40, error500: 0, refused: 0 };

function draws(seed: number, rates: FaultRates, count = 2_000) {
  const stream = xoroshiro128plus(seed);
  return Array.from({ length: count }, () => {
    const { happened: _, ...plan } = drawPlan(stream, rates);
    return plan;
  });
}

describe('faults drawn from a seed', () => {
  it('are the same for the same seed and others for another', () => {
    const rates = { ...NONE, lostAnswer: 0.3, error500: 0.3 };
    expect(draws(7, rates)).toEqual(draws(7, rates));
    expect(draws(7, rates)).not.toEqual(draws(8, rates));
  });

  it('come as often as their rates say, the 500 before and after the effect in halves', () => {
    const plans = draws(1, { lostAnswer: 0.1, slow: 0.5, slowMs: 40, error500: 0.4, refused: 0.2 }, 20_000);
    const share = (is: (plan: (typeof plans)[number]) => boolean) => plans.filter(is).length / plans.length;
    expect(share((plan) => plan.lostAnswer)).toBeCloseTo(0.1, 1);
    expect(share((plan) => plan.slowMs === 40)).toBeCloseTo(0.5, 1);
    expect(share((plan) => plan.refused)).toBeCloseTo(0.2, 1);
    expect(share((plan) => plan.error500 === 'before')).toBeCloseTo(0.2, 1);
    expect(share((plan) => plan.error500 === 'after')).toBeCloseTo(0.2, 1);
  });

  it('never come at rate 0 and always come at rate 1', () => {
    for (const plan of draws(3, NONE)) {
      expect(plan).toEqual({ refused: false, error500: null, lostAnswer: false, slowMs: 0 });
    }
    for (const plan of draws(3, { lostAnswer: 1, slow: 1, slowMs: 40, error500: 1, refused: 1 })) {
      expect(plan).toMatchObject({ refused: true, lostAnswer: true, slowMs: 40 });
      expect(plan.error500).not.toBeNull();
    }
  });

  it('do not shift when the rate of another kind changes', () => {
    const lost = (rates: FaultRates) => draws(5, rates).map((plan) => plan.lostAnswer);
    expect(lost({ ...NONE, lostAnswer: 0.3, error500: 0.9, refused: 1 })).toEqual(lost({ ...NONE, lostAnswer: 0.3 }));
  });

  it('are counted once per request, however often it is decided again', () => {
    const counted: string[] = [];
    const plan = drawPlan(xoroshiro128plus(1), NONE, (kind) => counted.push(kind));
    plan.happened('refused');
    plan.happened('refused');
    plan.happened('slow');
    expect(counted).toEqual(['refused', 'slow']);
  });
});
