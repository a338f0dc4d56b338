import type { Clock } from '../engine/ports.ts';

/** A pause that can be ended early. */
export class Pause {
  #end: (() => void) | null = null;

  async take(clock: Clock, ms: number): Promise<void> {
    let cancelTimer = () => {};
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      cancelTimer = clock.after(ms, resolve);
    });
    cancelTimer();
    this.#end = null;
  }

  end(): void {
    this.#end?.();
  }
}
