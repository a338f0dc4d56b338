/*
 * Looking at the provider again and again, for what it knows and we may not have heard: whatever webhooks bring or lose, this
 * finds it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@holdfast/service';

/** @param after where the last look had come to; null begins anew. @returns where the next goes on */
export type Look = (after: string | null) => Promise<string | null>;

export interface Looking {
  /** By what is looked for. */
  looks: Record<string, Look>;
  /** The pause between two rounds. */
  everyMs: number;
  log: Log;
}

/** One after the other, and again after a pause. @returns ends it */
export function keepLooking({ looks, everyMs, log }: Looking): () => Promise<void> {
  const stopping = new AbortController();
  const cursors = new Map<string, string | null>();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      for (const [what, look] of Object.entries(looks)) {
        try {
          cursors.set(what, await look(cursors.get(what) ?? null));
        } catch (error) {
          const { message } = error as Error;
          log.warn({ message, what }, 'the card provider was not looked at; trying again');
        }
      }
      await delay(everyMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  })();
  return async () => {
    stopping.abort();
    await running;
  };
}
