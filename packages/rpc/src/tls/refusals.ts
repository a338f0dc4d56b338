import type { Log } from '@holdfast/service';

/** How many refused peers are told apart; a stranger who makes up names must fill neither memory nor the log. */
const MAX_TOLD = 100;

/** Says in the log which peers are refused and why: each once. */
export class Refusals {
  readonly #log: Log;
  readonly #onRefused: (() => void) | undefined;
  readonly #told = new Set<string>();

  constructor(log: Log, onRefused?: () => void) {
    this.#log = log;
    this.#onRefused = onRefused;
  }

  /** @param peer its names, or its address where it has shown none */
  refuse(peer: string, why: string): void {
    this.#onRefused?.();
    const line = `${why} ${peer}`;
    if (this.#told.has(line) || this.#told.size > MAX_TOLD) return;
    this.#told.add(line);
    if (this.#told.size > MAX_TOLD)
      this.#log.warn({ told: MAX_TOLD }, 'more peers are refused, and not named any more');
    else this.#log.warn({ peer, why }, 'a peer is refused');
  }
}
