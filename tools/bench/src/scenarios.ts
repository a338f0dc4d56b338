import type { Workload } from './workload.ts';

export interface Scenario {
  name: string;
  /** For people, in the report. */
  what: string;
  /**
   * `orders`: over HTTP, each waited for. `direct`: the same participants, one RPC after the other, nothing written down
   * by the caller. `statements`: the participants' own code on their databases, in one process, without RPC or HTTP.
   * `replays`: keys that are known, over HTTP. `bare`: the same client against Node's HTTP server alone. `paced`: orders at a fixed rate.
   */
  drive: 'orders' | 'direct' | 'statements' | 'replays' | 'bare' | 'paced';
  clients: number;
  workload: Omit<Workload, 'seed'>;
  /** The carrier at the sandbox, rather than our own shipments. */
  carrier?: boolean;
  /** `paced`: this share of the median of another scenario. */
  pace?: { of: string; share: number };
  /** Shown as a ratio to these. */
  over?: string[];
}

const ONE_LINE = { shape: 'one-line', spread: 'uniform', method: 'balance', poor: false } as const;

/** In this order: a paced one comes after the one that it takes its pace from. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'statements-256',
    what: 'the statements alone, 256 at once',
    drive: 'statements',
    clients: 256,
    workload: ONE_LINE,
  },
  {
    name: 'direct-256',
    what: 'three RPCs, no durability, 256 clients',
    drive: 'direct',
    clients: 256,
    workload: ONE_LINE,
  },
  {
    name: 'orders-256',
    what: 'one-line orders, 256 clients',
    drive: 'orders',
    clients: 256,
    workload: ONE_LINE,
    over: ['direct-256', 'statements-256'],
  },
  {
    name: 'direct-64',
    what: 'three RPCs, no durability, 64 clients',
    drive: 'direct',
    clients: 64,
    workload: ONE_LINE,
  },
  {
    name: 'orders-64',
    what: 'one-line orders, 64 clients',
    drive: 'orders',
    clients: 64,
    workload: ONE_LINE,
    over: ['direct-64'],
  },
  { name: 'direct-1', what: 'three RPCs, no durability, one client', drive: 'direct', clients: 1, workload: ONE_LINE },
  {
    name: 'orders-1',
    what: 'one-line orders, one client',
    drive: 'orders',
    clients: 1,
    workload: ONE_LINE,
    over: ['direct-1'],
  },
  {
    name: 'new-order-256',
    what: 'TPC-C New-Order, 5 to 15 lines, 256 clients',
    drive: 'orders',
    clients: 256,
    workload: { ...ONE_LINE, shape: 'new-order' },
    over: ['orders-256'],
  },
  {
    name: 'hot-256',
    what: 'one SKU in every order, 256 clients',
    drive: 'orders',
    clients: 256,
    workload: { ...ONE_LINE, spread: 'hot' },
    over: ['orders-256'],
  },
  {
    name: 'declined-256',
    what: 'every payment refused, every order undone, 256 clients',
    drive: 'orders',
    clients: 256,
    workload: { ...ONE_LINE, poor: true },
    over: ['orders-256'],
  },
  {
    name: 'paced-half',
    what: 'one-line orders at half of the maximum, open loop',
    drive: 'paced',
    clients: 512,
    workload: ONE_LINE,
    pace: { of: 'orders-256', share: 0.5 },
  },
  { name: 'bare-64', what: 'Node’s HTTP server alone, 64 clients', drive: 'bare', clients: 64, workload: ONE_LINE },
  {
    name: 'replays-64',
    what: 'keys that are known, 64 clients',
    drive: 'replays',
    clients: 64,
    workload: ONE_LINE,
    over: ['bare-64'],
  },
  {
    name: 'card-64',
    what: 'by card and with a carrier, both at the sandbox, 64 clients',
    drive: 'orders',
    clients: 64,
    workload: { ...ONE_LINE, method: 'pm_card_visa' },
    carrier: true,
  },
];
