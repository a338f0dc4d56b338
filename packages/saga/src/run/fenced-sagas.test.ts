import { describe, expect, it } from 'vitest';
import { FencedSagas } from './fenced-sagas.ts';

describe('a saga that is refused as fenced', () => {
  it('S1: is left to the sweep five times, then parked, and counted afresh after that', () => {
    const fenced = new FencedSagas();
    const met = Array.from({ length: 7 }, (_, at) => fenced.isFencedAgain('saga', at * 1_000));
    expect(met).toEqual([false, false, false, false, false, true, false]);
    expect(fenced.isFencedAgain('other', 0)).toBe(false);
  });

  it('S1: is parked by its second refusal where sweeps are far apart, as with the longest lease', () => {
    const fenced = new FencedSagas();
    expect(fenced.isFencedAgain('saga', 0)).toBe(false);
    expect(fenced.isFencedAgain('saga', 30_000)).toBe(true);
  });
});
