import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** One registry per process; `counter`, `gauge` and `histogram` register on it. */
export interface Metrics {
  registry: Registry;
  counter(name: string, help: string, labels?: string[]): Counter;
  gauge(name: string, help: string, read?: () => number): Gauge;
  /** `read` is asked at every scrape, for the value of each label; what it has failed to read is left as it was. */
  gaugeBy(name: string, help: string, label: string, read: () => Promise<ReadonlyMap<string, number>>): Gauge;
  histogram(name: string, help: string, labels?: string[]): Histogram;
}

const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: labels, registers }),
    gauge: (name, help, read) =>
      new Gauge({
        name,
        help,
        registers,
        ...(read && {
          collect() {
            this.set(read());
          },
        }),
      }),
    gaugeBy: (name, help, label, read) =>
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers,
        async collect() {
          for (const [value, figure] of await read()) this.set({ [label]: value }, figure);
        },
      }),
    histogram: (name, help, labels = []) =>
      new Histogram({ name, help, labelNames: labels, buckets: SECONDS_BUCKETS, registers }),
  };
}

/** For the `onAcquired` of a service's pool: more than milliseconds say that the pool is what requests wait for. */
export function observeWaits(metrics: Metrics): (waitedMs: number) => void {
  const waited = metrics.histogram('holdfast_database_wait_seconds', 'Time that a caller waited for a connection');
  return (waitedMs) => waited.observe(waitedMs / 1_000);
}
