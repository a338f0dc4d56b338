/* Several systems that share the cases between them: most of a case is waiting, for a lease or for a process to start. */
import type { MatrixCase } from './cases.ts';
import { type CaseResult, type Matrix, startMatrix } from './run-matrix.ts';

/** @throws Error when one of them does not start; the others are stopped then */
export async function startMatrices(amount: number, say?: (line: string) => void): Promise<Matrix> {
  const starting = Array.from({ length: amount }, () => startMatrix(say));
  const started = await Promise.allSettled(starting);
  const systems = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failure = started.find((outcome) => outcome.status === 'rejected');
  const stop = async () => void (await Promise.all(systems.map((system) => system.stop())));
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  const idle = [...systems];
  const waiting: ((system: Matrix) => void)[] = [];
  return {
    /** Waits until one of them has nothing to do. */
    async run(entry: MatrixCase): Promise<CaseResult> {
      const system = idle.pop() ?? (await new Promise<Matrix>((resolve) => waiting.push(resolve)));
      try {
        return await system.run(entry);
      } finally {
        const next = waiting.shift();
        if (next === undefined) idle.push(system);
        else next(system);
      }
    },
    reached: () => new Set(systems.flatMap((system) => [...system.reached()])),
    stop,
  };
}

/**
 * Runs cases in order, as many at once as there are systems.
 * @param heard gets each result; no further case is begun once it says `stop`
 */
export async function runCases(
  system: Matrix,
  atOnce: number,
  cases: readonly MatrixCase[],
  heard: (result: CaseResult) => 'go on' | 'stop',
): Promise<void> {
  const left = cases.values();
  let over = false;
  const lane = async () => {
    for (const entry of left) {
      if (heard(await system.run(entry)) === 'stop') over = true;
      if (over) return;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
