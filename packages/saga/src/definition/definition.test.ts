import { describe, expect, it } from 'vitest';
import { defineSaga, type StepContext } from './definition.ts';

interface Input {
  amount: number;
}
interface Outputs {
  first: { id: string };
  second: { total: number };
  third: null;
}
const limits = { timeoutMs: 100, retry: { baseMs: 1, capMs: 10 } };
const undo = async () => ({ kind: 'completed' }) as const;
const first = {
  ...limits,
  name: 'first',
  kind: 'compensatable',
  act: async () => ({ kind: 'completed', output: { id: '1' } }) as const,
  undo,
} as const;
const second = {
  ...limits,
  name: 'second',
  kind: 'pivot',
  act: async () => ({ kind: 'completed', output: { total: 1 } }) as const,
  undo,
} as const;
const third = {
  ...limits,
  name: 'third',
  kind: 'retriable',
  act: async () => ({ kind: 'completed', output: null }) as const,
} as const;
const define = defineSaga<Input, Outputs>();
const table = { name: 'test', deadlineMs: 1_000 };

describe('the definition of a saga', () => {
  it('knows where its pivot stands', () => {
    expect(define({ ...table, steps: [first, second, third] }).pivotIndex).toBe(1);
    expect(defineSaga<Input, Pick<Outputs, 'first'>>()({ ...table, steps: [first] }).pivotIndex).toBe(-1);
  });

  it('gives its steps their types: input, outputs so far, and the output that they owe', () => {
    const definition = defineSaga<Input, Pick<Outputs, 'first' | 'second'>>()({
      ...table,
      steps: [
        { ...first, act: async ({ input }) => ({ kind: 'completed', output: { id: input.amount.toFixed() } }) },
        {
          ...second,
          act: async ({ outputs }) => {
            const id: string | undefined = outputs.first?.id;
            return id === undefined
              ? { kind: 'refused', reason: 'NO_ID', message: 'first is missing' }
              : { kind: 'completed', output: { total: id.length } };
          },
        },
      ],
    });
    const carried: { input: Input; outputs: Pick<Outputs, 'first' | 'second'> } | undefined = definition.types;
    expect(carried).toBeUndefined();
  });

  it('orders its steps by kind, checked by the compiler and again when it runs', () => {
    // @ts-expect-error a compensatable step must stand before the pivot
    expect(() => define({ ...table, steps: [second, first, third] })).toThrow(/first may not stand behind pivot step/);
    // @ts-expect-error a retriable step must stand behind the pivot
    expect(() => define({ ...table, steps: [first, third, second] })).toThrow(/third needs a pivot before it/);
    const pivot = { ...first, kind: 'pivot' } as const;
    // @ts-expect-error a saga has one pivot at most
    expect(() => define({ ...table, steps: [pivot, second, third] })).toThrow(/second is a second pivot/);
  });

  it('leaves no step out', () => {
    // @ts-expect-error there is no step third
    expect(define({ ...table, steps: [first, second] }).steps).toHaveLength(2);
  });

  it('has an undo for what can be undone and for nothing else', () => {
    const { undo: _, ...bare } = first;
    // @ts-expect-error undo is missing
    expect(() => define({ ...table, steps: [bare, second, third] })).toThrow(/step first needs an undo/);
    // @ts-expect-error a retriable step has no undo
    expect(() => define({ ...table, steps: [first, second, { ...third, undo }] })).toThrow(/third has an undo/);
  });

  it('does not let a retriable step refuse', () => {
    const refuses = async () => ({ kind: 'refused', reason: 'NO', message: 'no' }) as const;
    expect(define({ ...table, steps: [first, { ...second, act: refuses }, third] }).steps).toHaveLength(3);
    // @ts-expect-error a retriable act may not refuse
    expect(define({ ...table, steps: [first, second, { ...third, act: refuses }] }).steps).toHaveLength(3);
  });

  it('lets an act wait only where its step says for how long', () => {
    const wait = async () => ({ kind: 'waiting', reason: 'R', waitMs: 1 }) as const;
    const waits = { maxMs: 1_000 };
    expect(define({ ...table, steps: [{ ...first, act: wait, waits }, second, third] }).steps[0]?.waits).toEqual(waits);
    expect(
      define({ ...table, steps: [first, { ...second, act: wait, waits }, { ...third, act: wait, waits }] }).steps,
    ).toHaveLength(3);
    // @ts-expect-error first does not declare `waits`
    expect(define({ ...table, steps: [{ ...first, act: wait }, second, third] }).steps).toHaveLength(3);
    // @ts-expect-error an undo may not wait
    expect(define({ ...table, steps: [{ ...first, undo: wait, waits }, second, third] }).steps).toHaveLength(3);
    const endless = () => define({ ...table, steps: [{ ...first, act: wait, waits: { maxMs: 0.5 } }, second, third] });
    expect(endless).toThrow(/waits.maxMs of first must be a positive whole number/);
  });

  it('does not let a step answer with the output of another', () => {
    const wrong = async () => ({ kind: 'completed', output: { total: 1 } }) as const;
    // @ts-expect-error first owes { id }
    expect(define({ ...table, steps: [{ ...first, act: wrong }, second, third] }).steps).toHaveLength(3);
    const needsMore = async (_: StepContext<{ amount: string }, Outputs>) =>
      ({ kind: 'completed', output: { id: '' } }) as const;
    // @ts-expect-error amount is a number
    expect(define({ ...table, steps: [{ ...first, act: needsMore }, second, third] }).steps).toHaveLength(3);
  });

  it('has steps side by side where they stand in a group, of one kind, checked by the compiler and again when it runs', () => {
    const beside = { ...second, kind: 'compensatable' } as const;
    const pivot = { ...third, kind: 'pivot', undo } as const;
    const groups = (steps: { name: string; group?: number }[]) => steps.map(({ name, group }) => [name, group]);
    const { steps, pivotIndex } = define({ ...table, steps: [{ parallel: [first, beside] }, pivot] });
    expect(groups(steps as never)).toEqual([
      ['first', 0],
      ['second', 0],
      ['third', undefined],
    ]);
    expect(pivotIndex).toBe(2);
    // @ts-expect-error there is no step second
    define({ ...table, steps: [{ parallel: [first, { ...first, name: 'third' }] }] as const });
    // @ts-expect-error a compensatable step must stand before the pivot
    expect(() => define({ ...table, steps: [pivot, { parallel: [first, beside] }] })).toThrow(/may not stand behind/);
    // @ts-expect-error a pivot stands alone
    expect(() => define({ ...table, steps: [{ parallel: [first, second] }, third] })).toThrow(/pivot second may not/);
    const late = { ...beside, delayMs: 5 } as const;
    // @ts-expect-error a member has no delay of its own
    expect(() => define({ ...table, steps: [{ parallel: [first, late] }, pivot] })).toThrow(
      /second may have no delayMs/,
    );
    expect(() => define({ ...table, steps: [{ parallel: [first] }, { ...beside }, pivot] })).toThrow(/needs two steps/);
  });

  it('gives members of a group their types', () => {
    const definition = defineSaga<Input, Pick<Outputs, 'first' | 'second'>>()({
      ...table,
      steps: [
        {
          parallel: [
            {
              name: 'first',
              kind: 'compensatable',
              act: async ({ input }) => ({ kind: 'completed', output: { id: input.amount.toFixed() } }),
              undo,
            },
            {
              name: 'second',
              kind: 'compensatable',
              act: async ({ outputs }) => ({ kind: 'completed', output: { total: outputs.first?.id.length ?? 0 } }),
              undo,
            },
          ],
        },
      ],
    });
    const wrong = { ...second, kind: 'compensatable', act: async () => ({ kind: 'completed', output: 'no' }) } as const;
    const owes = defineSaga<Input, Pick<Outputs, 'first' | 'second'>>();
    // @ts-expect-error second owes { total: number }
    owes({ ...table, steps: [{ parallel: [first, wrong] }] });
    expect(definition.steps).toHaveLength(2);
  });

  it('needs to say neither how long an attempt takes nor how often it is made', () => {
    const { timeoutMs: _, retry: __, ...bare } = first;
    const { steps } = define({ ...table, steps: [bare, second, third] });
    expect(steps[0]).toMatchObject({ timeoutMs: 5_000, retry: { baseMs: 100, capMs: 10_000, maxAttempts: 360 } });
    expect(steps[1]).toMatchObject(limits);
  });

  it('is refused with all its mistakes at once', () => {
    const steps = [
      { ...first, name: 'First' as 'first', timeoutMs: 0 },
      { ...first, retry: { baseMs: 1, capMs: -1 } },
    ];
    const wrong = () => defineSaga<Input, Pick<Outputs, 'first'>>()({ name: 'A b', deadlineMs: Number.NaN, steps });
    expect(wrong).toThrow(TypeError);
    for (const mistake of [/its name/, /deadlineMs/, /step "First"/, /timeoutMs of First/, /capMs of first/]) {
      expect(wrong).toThrow(mistake);
    }
    const twice = () => defineSaga<Input, Pick<Outputs, 'first'>>()({ ...table, steps: [first, first] });
    expect(twice).toThrow(/two steps are named first/);
  });
});
