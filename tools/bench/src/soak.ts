import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '@holdfast/cluster';
import { closedLoop, type Once } from './loops.ts';
import { residentMb } from './meter.ts';
import { openShop } from './shop.ts';
import { keyMaker, orders, type Workload } from './workload.ts';

/** What each process holds at one instant of a long load. */
export interface MemorySample {
  atSeconds: number;
  /** Orders that had ended by then. */
  ended: number;
  residentMb: Record<string, number>;
}

/** A long load: whether memory stays where it is. */
export interface Soak {
  minutes: number;
  clients: number;
  perSecond: number;
  ended: number;
  failed: number;
  firstFailure: string | null;
  samples: MemorySample[];
  /** Over the second half, by process: MB a minute. */
  slopes: Record<string, number>;
}

const CLIENTS = 256;
const EVERY_MS = 30_000;
const WORKLOAD: Omit<Workload, 'seed'> = { shape: 'one-line', spread: 'uniform', method: 'balance', poor: false };

export interface SoakOptions {
  minutes: number;
  seed: number;
  randomKeys: boolean;
  say: (line: string) => void;
}

/** Places orders with 256 clients for so long, and looks at every process's memory now and then. */
export async function soak(cluster: Cluster, { minutes, seed, randomKeys, say }: SoakOptions): Promise<Soak> {
  const shop = openShop(cluster.run, CLIENTS, keyMaker(randomKeys));
  const source = orders({ ...WORKLOAD, seed });
  let ended = 0;
  const once: Once = async () => {
    const sold = await shop.place(source.next().value);
    ended += sold.kind === 'ended' ? 1 : 0;
    return sold;
  };
  const watch = watchMemory(
    cluster,
    () => ended,
    (sample) => say(`${sampleLine(sample)} of ${minutes} min`),
  );
  try {
    const { failures, seconds } = await closedLoop(once, CLIENTS, minutes * 60);
    const samples = await watch.stop();
    const { count: failed, first: firstFailure } = failures;
    const load = { minutes, clients: CLIENTS, perSecond: ended / seconds, ended, failed, firstFailure };
    return { ...load, samples, slopes: slopesOf(samples) };
  } finally {
    await watch.stop();
    await shop.close();
  }
}

/** Looks each half minute, and once more when it is stopped. */
function watchMemory(
  cluster: Cluster,
  ended: () => number,
  onSample: (sample: MemorySample) => void,
): { stop(): Promise<MemorySample[]> } {
  const startedMs = performance.now();
  const samples: MemorySample[] = [];
  const ending = new AbortController();
  const look = () => {
    const atSeconds = (performance.now() - startedMs) / 1_000;
    const sample = { atSeconds, ended: ended(), residentMb: residentMb(cluster) };
    samples.push(sample);
    onSample(sample);
  };
  const run = async () => {
    while (!ending.signal.aborted) {
      await delay(EVERY_MS, undefined, { signal: ending.signal }).catch(() => undefined);
      look();
    }
    return samples;
  };
  const running = run();
  return {
    stop() {
      ending.abort();
      return running;
    },
  };
}

function sampleLine({ atSeconds, ended, residentMb: resident }: MemorySample): string {
  const processes = Object.entries(resident).map(([name, mb]) => `${name} ${mb.toFixed(0)}`);
  return `${(atSeconds / 60).toFixed(1)} min, ${ended} orders: ${processes.join(', ')} MB`;
}

/** The line through the second half of the samples, least squares: MB a minute. Empty with fewer than two samples in it. */
export function slopesOf(samples: MemorySample[]): Record<string, number> {
  const lastSeconds = samples.at(-1)?.atSeconds ?? 0;
  const late = samples.filter(({ atSeconds }) => atSeconds >= lastSeconds / 2);
  if (late.length < 2) return {};
  const names = Object.keys(late[0]?.residentMb ?? {});
  return Object.fromEntries(
    names.map((name) => [name, slope(late.map((each) => [each.atSeconds / 60, each.residentMb[name] ?? 0]))]),
  );
}

function slope(points: [x: number, y: number][]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const across = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return across / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
