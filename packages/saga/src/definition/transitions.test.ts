import { fullJitterMs } from '@holdfast/resilience';
import { describe, expect, it } from 'vitest';
import { defineSaga } from './definition.ts';
import { acted, mayTurnBack, type Progress, parkedAt, turnedBack, undone, waited, whatNext } from './transitions.ts';

const limits = { timeoutMs: 100, retry: { baseMs: 1, capMs: 10 } };
const act = async () => ({ kind: 'completed', output: 1 }) as const;
const undo = async () => ({ kind: 'completed' }) as const;
const definition = defineSaga<null, { a: number; b: number; c: number }>()({
  name: 'test',
  deadlineMs: 1_000,
  steps: [
    { ...limits, name: 'a', kind: 'compensatable', act, undo },
    { ...limits, name: 'b', kind: 'pivot', act, undo },
    { ...limits, name: 'c', kind: 'retriable', act },
  ],
});
const START: Progress = {
  ...{ state: 'running', position: 0, outputs: {}, failure: null },
  ...{ parked: null, resumeState: null, waiting: null },
};
const WAIT = {
  step: 'a',
  reason: 'R',
  data: null,
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-01-01T00:15:00.000Z',
  leftMs: 60_000,
  mayTurnBack: true,
};
const FAILURE = { step: 'b', reason: 'NO', message: 'no' };

describe('the state machine', () => {
  it('acts forward, and ends with the last step', () => {
    let progress = START;
    for (const name of ['a', 'b', 'c']) {
      expect(whatNext(definition, progress)).toMatchObject({ kind: 'act', steps: [{ name }] });
      progress = acted(definition, progress, { [name]: name });
    }
    expect(progress).toMatchObject({ state: 'completed', position: 3, outputs: { a: 'a', b: 'b', c: 'c' } });
    expect(whatNext(definition, progress)).toEqual({ kind: 'ended' });
  });

  it('S3: undoes backward from the step that may have been started', () => {
    let progress = turnedBack({ ...START, position: 1 }, FAILURE);
    for (const name of ['b', 'a']) {
      expect(whatNext(definition, progress)).toMatchObject({ kind: 'undo', steps: [{ name }] });
      progress = undone(definition, progress);
    }
    expect(progress).toMatchObject({ state: 'failed', position: -1, failure: FAILURE });
    const cancelled = undone(definition, turnedBack(START, { ...FAILURE, reason: 'CANCELLED' }));
    expect(cancelled.state).toBe('cancelled');
  });

  it('S3: undoes a step that waits, and forgets its wait with the step', () => {
    const waiting = waited(START, WAIT);
    expect(waiting).toMatchObject({ state: 'waiting', position: 0, waiting: WAIT });
    expect(whatNext(definition, waiting)).toEqual({ kind: 'ended' });
    expect(mayTurnBack(definition, waiting)).toBe(true);
    const again: Progress = { ...waiting, state: 'running' };
    expect(acted(definition, again, { a: 1 })).toMatchObject({ position: 1, waiting: null });
    expect(turnedBack(again, FAILURE)).toMatchObject({ state: 'compensating', position: 0, waiting: null });
    const parked = { step: 'a', direction: 'act', reason: 'CHECKPOINT_REJECTED', detail: '', attempts: 1 } as const;
    expect(parkedAt(again, parked)).toMatchObject({ resumeState: 'running', waiting: WAIT });
  });

  it('turns back until the pivot is known to be done, and never while it undoes', () => {
    const turns = (progress: Partial<Progress>) => mayTurnBack(definition, { ...START, ...progress });
    expect([turns({}), turns({ position: 1 }), turns({ position: 2 })]).toEqual([true, true, false]);
    expect(turns({ state: 'compensating' })).toBe(false);
    expect(mayTurnBack({ ...definition, pivotIndex: -1 }, { ...START, position: 2 })).toBe(true);
  });

  it('remembers where a parked saga goes on', () => {
    const parked = { step: 'a', direction: 'undo', reason: 'ATTEMPTS_EXHAUSTED', detail: '', attempts: 1 } as const;
    expect(parkedAt(turnedBack(START, FAILURE), parked)).toMatchObject({
      state: 'parked',
      resumeState: 'compensating',
    });
    expect(parkedAt(START, parked)).toMatchObject({ state: 'parked', resumeState: 'running', position: 0 });
  });

  it('S2, S3: takes a group as one: those of it that are not stored go forward, all of it goes back', () => {
    const [a, b, c] = definition.steps.map(({ act, ...step }) => ({
      ...step,
      kind: 'compensatable' as const,
      act,
      undo,
    }));
    const grouped = {
      ...definition,
      pivotIndex: -1,
      steps: [a, b, c].map((step, at) => ({ ...step, group: at && 1 })),
    };
    const names = (progress: Progress) => {
      const next = whatNext(grouped as never, progress);
      return next.kind === 'ended' ? [] : next.steps.map(({ name }) => name);
    };
    const at1 = acted(grouped as never, START, { a: 1 });
    expect([at1.position, names(at1), names({ ...at1, outputs: { a: 1, c: 3 } })]).toEqual([1, ['b', 'c'], ['b']]);
    expect(acted(grouped as never, at1, { b: 2, c: 3 })).toMatchObject({ state: 'completed', position: 3 });
    const back = turnedBack({ ...at1, outputs: { a: 1, c: 3 } }, FAILURE);
    expect(names(back)).toEqual(['b', 'c']);
    expect(undone(grouped as never, back)).toMatchObject({ state: 'compensating', position: 0 });
    expect(undone(grouped as never, { ...back, position: 3 })).toMatchObject({ position: 1 });
  });

  it('refuses a row that fits no step', () => {
    expect(() => whatNext(definition, { ...START, position: 3 })).toThrow(/running at step 3.* has 3 steps/);
  });
});

describe('the wait between attempts', () => {
  it('is random up to a bound that doubles and is capped', () => {
    const retry = { baseMs: 10, capMs: 45 };
    expect([0, 1, 2, 3, 4_000].map((attempt) => fullJitterMs(retry, attempt, () => 1))).toEqual([10, 20, 40, 45, 45]);
    expect(fullJitterMs(retry, 3, () => 0)).toBe(0);
    expect(fullJitterMs(retry, 1, () => 0.25)).toBe(5);
  });
});
