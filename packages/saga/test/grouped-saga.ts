import { defineSaga, type SagaDefinition } from '../src/definition/definition.ts';
import type { SagaTest, TestInput, TestOutputs } from './test-participants.ts';

/** The tests' saga with `reserve` and `charge` side by side; both may wait. */
export function groupedSaga(
  test: SagaTest,
  limits: Parameters<SagaTest['define']>[0] = {},
): SagaDefinition<TestInput, TestOutputs> {
  const { steps, deadlineMs } = test.define(limits);
  const [reserve, charge, ...behind] = steps;
  const waits = limits.waits ?? { maxMs: 20_000 };
  return defineSaga<TestInput, TestOutputs>()({
    name: limits.name ?? 'grouped',
    deadlineMs,
    // Steps that a definition has taken are known to it by their names alone.
    steps: [
      {
        parallel: [
          { ...reserve, waits },
          { ...charge, waits },
        ],
      },
      ...behind,
    ] as never,
  });
}
