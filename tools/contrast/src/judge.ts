/* How the orders of one way have ended, and which of them wrong, by what every service has committed. */

import type { Cluster } from '@holdfast/cluster';
import { createPool, statement } from '@holdfast/postgres';
import { FAULTS, type Fault, numberOf, plannedOrder } from './orders.ts';

export const WRONGS = ['charged', 'reserved', 'shipped', 'incomplete', 'not-ended'] as const;
/** What may be wrong with an order: one that failed has kept an effect, one that is completed lacks one, or no end. */
export type Wrong = (typeof WRONGS)[number];

export interface Verdict {
  orders: number;
  completed: number;
  /** Failed or cancelled. */
  turnedBack: number;
  /** Orders with at least one of the wrongs. */
  wrong: number;
  byWrong: Record<Wrong, number>;
  /** Wrong orders by what had struck them; those whose plan is no fault were in the way of a death. */
  byFault: Record<Fault | 'none', number>;
  /** Orders whose fault has struck at all. */
  struck: number;
}

const SAGAS = statement(
  'contrast.sagas',
  'select id, state from holdfast.sagas where definition = $1::text order by id',
);
const STRUCK = statement(
  'contrast.struck',
  'select order_id as id from contrast.strikes where starts_with(order_id, $1::text)',
);
const LIVE = {
  inventory: statement('contrast.reserved', `select order_id as id from reservations where state = 'held'`),
  payment: statement('contrast.charged', `select order_id as id from charges where state = 'captured'`),
  shipping: statement('contrast.shipped', `select order_id as id from shipments where state = 'booked'`),
};

export async function judge(cluster: Cluster, way: string, seed: number, orders: number): Promise<Verdict> {
  const sagas = await read<{ id: string; state: string }>(cluster, 'orchestrator', SAGAS, [`contrast-${way}`]);
  const struck = await read<{ id: string }>(cluster, 'orchestrator', STRUCK, [`${way}-`]);
  const live = async (name: keyof typeof LIVE) =>
    new Set((await read<{ id: string }>(cluster, name, LIVE[name], [])).map(({ id }) => id));
  const [reserved, charged, shipped] = [await live('inventory'), await live('payment'), await live('shipping')];
  const verdict = emptyVerdict(orders, struck.length);
  for (const { id, state } of sagas) {
    if (state === 'completed') verdict.completed += 1;
    if (state === 'failed' || state === 'cancelled') verdict.turnedBack += 1;
    const effects = { reserved: reserved.has(id), charged: charged.has(id), shipped: shipped.has(id) };
    count(verdict, wrongsOf(state, effects), plannedOrder(seed, numberOf(id)).fault?.fault ?? 'none');
  }
  // Every order was to be accepted: one that was not has not ended either.
  for (let n = sagas.length; n < orders; n++) count(verdict, ['not-ended'], 'none');
  return verdict;
}

function wrongsOf(state: string, effects: { reserved: boolean; charged: boolean; shipped: boolean }): Wrong[] {
  const { reserved, charged, shipped } = effects;
  if (state === 'completed') return reserved && charged && shipped ? [] : ['incomplete'];
  if (state !== 'failed' && state !== 'cancelled') return ['not-ended'];
  return (['charged', 'reserved', 'shipped'] as const).filter((effect) => effects[effect]);
}

function emptyVerdict(orders: number, struck: number): Verdict {
  const zeros = <K extends string>(names: readonly K[]) =>
    Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
  const counts = { orders, struck, completed: 0, turnedBack: 0, wrong: 0 };
  return { ...counts, byWrong: zeros(WRONGS), byFault: zeros([...FAULTS, 'none'] as const) };
}

function count(verdict: Verdict, wrongs: Wrong[], fault: Fault | 'none'): void {
  if (wrongs.length === 0) return;
  verdict.wrong += 1;
  verdict.byFault[fault] += 1;
  for (const wrong of wrongs) verdict.byWrong[wrong] += 1;
}

async function read<Row extends object>(
  cluster: Cluster,
  name: 'orchestrator' | keyof typeof LIVE,
  query: ReturnType<typeof statement>,
  values: unknown[],
): Promise<Row[]> {
  const pool = createPool({ databaseUrl: cluster.databaseUrl(name), applicationName: 'contrast judge', max: 1 });
  try {
    return (await pool.query<Row>({ ...query, values })).rows;
  } finally {
    await pool.end();
  }
}
