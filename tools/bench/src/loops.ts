import { setTimeout as delay } from 'node:timers/promises';

/** What was seen of one stretch of load. */
export interface Seen {
  /** Of each request that ended well, in milliseconds. */
  latenciesMs: number[];
  /** Statuses told, how often each. */
  statuses: Record<string, number>;
  failures: { count: number; first: string | null };
  seconds: number;
}

export type Once = () => Promise<{ kind: 'ended'; status: string } | { kind: 'failed'; why: string }>;

function emptySight(): Seen {
  return { latenciesMs: [], statuses: {}, failures: { count: 0, first: null }, seconds: 0 };
}

async function note(seen: Seen, once: Once, intendedAtMs: number): Promise<void> {
  const result = await once().catch((error: unknown) => ({ kind: 'failed' as const, why: String(error) }));
  if (result.kind === 'failed') {
    seen.failures.count += 1;
    seen.failures.first ??= result.why;
    return;
  }
  seen.latenciesMs.push(performance.now() - intendedAtMs);
  seen.statuses[result.status] = (seen.statuses[result.status] ?? 0) + 1;
}

/** `clients` at a time, each sending its next request when it has its answer. */
export async function closedLoop(once: Once, clients: number, seconds: number): Promise<Seen> {
  const seen = emptySight();
  const startedAtMs = performance.now();
  const endAtMs = startedAtMs + seconds * 1_000;
  const client = async () => {
    while (performance.now() < endAtMs) await note(seen, once, performance.now());
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { ...seen, seconds: (performance.now() - startedAtMs) / 1_000 };
}

/**
 * `perSecond` requests a second whatever becomes of those before. Latency counts from the instant at which a request was
 * due, not from when it was sent: a system that stands still is not spared the requests that it held up (coordinated
 * omission).
 */
export async function openLoop(once: Once, perSecond: number, seconds: number, mostAtOnce = 4_096): Promise<Seen> {
  const seen = emptySight();
  const startedAtMs = performance.now();
  const total = Math.floor(perSecond * seconds);
  const underWay = new Set<Promise<void>>();
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAtMs) / 1_000) * perSecond));
    for (; sent < due && underWay.size < mostAtOnce; sent++) {
      const one = note(seen, once, startedAtMs + (sent / perSecond) * 1_000).finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await delay(1);
  }
  await Promise.all(underWay);
  return { ...seen, seconds: (performance.now() - startedAtMs) / 1_000 };
}

/** @param share 0 to 1 */
export function percentile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
