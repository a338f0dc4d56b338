import { parseArgs } from 'node:util';
import { startCluster } from '@holdfast/testkit';
import { createDirect } from './direct.ts';
import { closedLoop, percentile } from './loops.ts';
import { Meter } from './meter.ts';
import { openShop, stockUp } from './shop.ts';
import { orders, type Workload } from './workload.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '10' },
    shape: { type: 'string', default: 'one-line' },
    direct: { type: 'boolean', default: false },
    stay: { type: 'string' },
    method: { type: 'string', default: 'balance' },
    poor: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const prof = values.profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${values.profile}` };
const cluster = await startCluster({
  stateDir: '/tmp/holdfast-bench-main',
  clean: true,
  httpPort: 0,
  env: { orchestrator: prof, inventory: prof, payment: prof, shipping: { CARRIER_URL: undefined, ...prof } },
  say: console.error,
});
await stockUp(cluster);
const clients = Number(values.clients);
const workload: Workload = {
  shape: values.shape as 'one-line',
  spread: 'uniform',
  method: values.method,
  poor: values.poor,
  seed: 1,
};
const shop = openShop(cluster, clients);
const direct = createDirect(cluster);
const source = orders(workload);
const once = values.direct ? () => direct.place(source.next().value) : () => shop.place(source.next().value);
await closedLoop(once, clients, 3);
const meter = new Meter(cluster);
await meter.start();
const seen = await closedLoop(once, clients, Number(values.seconds));
const cost = await meter.lap();
const sorted = seen.latenciesMs.toSorted((a, b) => a - b);
const n = sorted.length;
console.log(
  `${(n / seen.seconds).toFixed(0)} orders/s, p50 ${percentile(sorted, 0.5).toFixed(1)} p99 ${percentile(sorted, 0.99).toFixed(1)}`,
  seen.statuses,
  seen.failures,
);
console.log(
  'cpu us per order',
  Object.fromEntries(Object.entries(cost.cpuSeconds).map(([k, v]) => [k, Math.round((v / n) * 1e6)])),
  'sum',
  Math.round((Object.values(cost.cpuSeconds).reduce((a, b) => a + b) / n) * 1e6),
);
console.log('commits/order', cost.commits / n, 'fsyncs', cost.fsyncs / n, 'wal', Math.round(cost.walBytes / n));
await meter.close();
await shop.close();
direct.close();
await cluster.stop();
