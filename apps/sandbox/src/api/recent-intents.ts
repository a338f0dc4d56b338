import type { Intent } from '../cards/payment-intent.ts';

const KEPT_MAX = 1_000;

/**
 * Intents as they were made here lately, each for the request that comes next for it. One that has changed since costs that
 * request a look and nothing else: every change is guarded by the version it was decided on.
 */
export class RecentIntents {
  readonly #kept = new Map<string, Intent>();

  keep(intent: Intent): void {
    this.#kept.set(intent.intentId, intent);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
  }

  take(intentId: string): Intent | undefined {
    const intent = this.#kept.get(intentId);
    this.#kept.delete(intentId);
    return intent;
  }
}
