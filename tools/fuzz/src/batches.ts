import fc, { type Arbitrary } from 'fast-check';

const BATCH = 128;

export interface FuzzRun {
  seed: number;
  /** Ends after as much time. */
  seconds: number;
  /** Requests under way at once. */
  concurrency: number;
}

/** Hands values to `act`, `concurrency` at a time, until the time is over. A seed makes the same values in the same order. */
export async function feed<T>(
  values: Arbitrary<T>,
  { seed, seconds, concurrency }: FuzzRun,
  act: (value: T) => Promise<void>,
): Promise<void> {
  const endsAtMs = performance.now() + seconds * 1_000;
  let batch: T[] = [];
  let batches = 0;
  const next = (): T | undefined => {
    if (performance.now() > endsAtMs) return undefined;
    // Another seed for each batch: within one, fast-check makes its values larger and stranger as it goes.
    if (batch.length === 0) batch = fc.sample(values, { seed: seed + batches++, numRuns: BATCH });
    return batch.shift();
  };
  const worker = async () => {
    for (let value = next(); value !== undefined; value = next()) await act(value);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
