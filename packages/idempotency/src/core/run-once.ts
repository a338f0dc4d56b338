import type { KeyedCall } from './outcome.ts';
import type { Flights } from './single-flight.ts';

const POLL_MS = 50;

/** Duplicates wait up to `waitMs`, in this process or by looking again, holding nothing (K7). */
export async function oneAtATime<T extends { kind: string }>(
  flights: Flights,
  call: KeyedCall,
  attempt: () => Promise<T>,
): Promise<T | { kind: 'in_progress' }> {
  const deadlineAtMs = performance.now() + call.waitMs;
  const flightKey = `${call.tenantId} ${call.key}`;
  let leftMs = call.waitMs;
  for (;;) {
    const flight = await flights.run(flightKey, Math.max(leftMs, 1), attempt);
    if (flight.kind === 'busy') return { kind: 'in_progress' };
    if (flight.value.kind !== 'in_progress' || deadlineAtMs - performance.now() < POLL_MS) return flight.value;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    leftMs = deadlineAtMs - performance.now();
  }
}
