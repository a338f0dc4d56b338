import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** One sequence of numbers; the same seed gives the same sequence on every machine. */
export class Random {
  readonly #generator: RandomGenerator;

  constructor(generator: RandomGenerator) {
    this.#generator = generator;
  }

  /** Uniform in `from`..`to`, both included. */
  integer(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return uniformFloat64(this.#generator);
  }

  /** @param rate 0 never, 1 always */
  chance(rate: number): boolean {
    return this.fraction() < rate;
  }

  /** @throws RangeError when there is nothing to pick from */
  pick<T>(choices: readonly T[]): T {
    if (choices.length === 0) throw new RangeError('pick needs at least one choice');
    return choices[this.integer(0, choices.length - 1)] as T;
  }
}

const STREAMS = ['catalogue', 'orders', 'kills', 'faults', 'retries'] as const;
export type RandomStreams = Record<(typeof STREAMS)[number], Random>;

/**
 * Independent streams from one seed: 2^64 numbers apart in one sequence, so that drawing more from one (a retry more,
 * a kill less) never shifts another.
 *
 * @param seed a 32-bit integer
 */
export function randomStreams(seed: number): RandomStreams {
  const next = xoroshiro128plus(seed);
  const streams = STREAMS.map((name) => {
    const generator = next.clone();
    next.jump();
    return [name, new Random(generator)] as const;
  });
  return Object.fromEntries(streams) as RandomStreams;
}
