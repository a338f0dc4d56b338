import { describe, expect, it } from 'vitest';
import { type MemorySample, slopesOf } from './soak.ts';

const sample = (minute: number, orchestrator: number): MemorySample => ({
  atSeconds: minute * 60,
  ended: 0,
  residentMb: { orchestrator, payment: 90 },
});

describe('how fast memory rises', () => {
  it('is the slope of the second half alone: what a start takes does not count', () => {
    const samples = [sample(0, 50), sample(1, 150), sample(2, 200), sample(3, 203), sample(4, 206)];
    const { orchestrator, payment } = slopesOf(samples);
    expect(orchestrator).toBeCloseTo(3);
    expect(payment).toBe(0);
  });

  it('is not known from one look', () => {
    expect(slopesOf([sample(1, 100)])).toEqual({});
    expect(slopesOf([])).toEqual({});
  });
});
