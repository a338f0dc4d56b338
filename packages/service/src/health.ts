/** Answers `true` when the part can serve; may throw, which counts as not. */
import { withDeadline } from '@holdfast/resilience';
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
  const checked = await withDeadline(
    CHECK_TIMEOUT_MS,
    check().catch(() => false),
  );
  return checked.kind === 'completed' && checked.value;
}
