/** Answers `true` when the part can serve; may throw, which counts as not. */
export type ReadinessCheck = () => Promise<boolean>;

export interface Health {
  /** Names of the parts that cannot serve now; empty when ready. */
  unready(): Promise<string[]>;
  /** From now on never ready: the process is on its way out. */
  drain(): void;
}

const CHECK_TIMEOUT_MS = 1_000;

/** Readiness is asked afresh each time, each check bounded: a store that is back makes the service ready by itself. */
export function createHealth(checks: Record<string, ReadinessCheck>): Health {
  let draining = false;
  return {
    async unready() {
      if (draining) return ['shutting down'];
      const answers = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => ((await answersInTime(check)) ? [] : [name])),
      );
      return answers.flat();
    },
    drain() {
      draining = true;
    },
  };
}

async function answersInTime(check: ReadinessCheck): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check().catch(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
