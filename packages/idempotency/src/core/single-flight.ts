/**
 * Duplicates of a call that is running in this very process wait here, in memory: no lock and no pool connection is
 * held meanwhile (K7). Only a shortcut: across processes, and after a restart, the claim's row decides.
 */
export interface Flights {
  /** Waits until nobody in this process runs `key`, then runs `work`; `busy` when that took longer than `waitMs`. */
  run<T>(key: string, waitMs: number, work: () => Promise<T>): Promise<{ kind: 'ran'; value: T } | { kind: 'busy' }>;
}

export function createFlights(): Flights {
  const running = new Map<string, Promise<unknown>>();
  return {
    async run(key, waitMs, work) {
      let current = running.get(key);
      if (current !== undefined) {
        const deadlineAtMs = performance.now() + waitMs;
        for (; current !== undefined; current = running.get(key)) {
          if (!(await endsWithin(current, deadlineAtMs - performance.now()))) return { kind: 'busy' };
        }
      }
      const flight = work();
      running.set(key, flight);
      try {
        return { kind: 'ran', value: await flight };
      } finally {
        running.delete(key);
      }
    },
  };
}

/** @returns whether `flight` ended, well or badly, within `ms` */
async function endsWithin(flight: Promise<unknown>, ms: number): Promise<boolean> {
  if (ms <= 0) return false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  // How it ended is its own caller's business; here only that it did.
  const ended = flight.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
