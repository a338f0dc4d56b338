import type { Progress } from './progress.ts';
import type { Random } from './random.ts';

export const VICTIMS = ['orchestrator', 'inventory', 'payment', 'shipping'] as const;
export type Victim = (typeof VICTIMS)[number];

export interface Kill {
  victim: Victim;
  /** Falls when this many orders have been begun. */
  atOrder: number;
}

/** How things are broken. */
export interface Strikes {
  /** As the report calls it. */
  kind: string;
  plural: string;
  /** @returns whether something was broken: it may not have been there */
  strike(victim: Victim): Promise<boolean>;
}

/** Killed a second time. Every kill stops all orders for a second or two, which bounds how many a short run can take. */
const AGAIN = 2;
const FIRST_AT = 0.06;
const LAST_AT = 0.94;

/** Every service once and some of them twice, in random order, spread over the run. With few orders several fall together. */
export function planKills(random: Random, orders: number): Kill[] {
  const victims = [...shuffled(random, VICTIMS), ...shuffled(random, VICTIMS).slice(0, AGAIN)];
  const step = (LAST_AT - FIRST_AT) / victims.length;
  return victims.map((victim, at) => {
    const share = FIRST_AT + step * (at + random.fraction());
    return { victim, atOrder: Math.max(1, Math.floor(share * orders)) };
  });
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const rest = [...list];
  return list.map(() => rest.splice(random.integer(0, rest.length - 1), 1)[0] as T);
}

/** Strikes whatever is due; whoever runs the system brings it back. */
export class Chaos {
  readonly #strikes: Strikes;
  readonly #progress: Progress;
  readonly #plan: Kill[];
  readonly #running: Promise<void>[] = [];

  constructor(strikes: Strikes, progress: Progress, plan: Kill[]) {
    this.#strikes = strikes;
    this.#progress = progress;
    this.#plan = [...plan];
  }

  /** Call for each order that is begun. */
  orderBegun(): void {
    while (this.#plan[0] !== undefined && this.#progress.begun >= this.#plan[0].atOrder) {
      const { victim } = this.#plan.shift() as Kill;
      this.#running.push(this.#kill(victim));
    }
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #kill(victim: Victim): Promise<void> {
    if (await this.#strikes.strike(victim)) this.#progress.killed(victim);
  }
}

export interface ProviderFaults {
  lostAnswer: number;
  slow: number;
  slowMs: number;
  error500: number;
  refused: number;
}

const FAULTS: ProviderFaults = { lostAnswer: 0.03, slow: 0.02, slowMs: 500, error500: 0.02, refused: 0.005 };
const NONE: ProviderFaults = { lostAnswer: 0, slow: 0, slowMs: 0, error500: 0, refused: 0 };
const TIMEOUT_MS = 5_000;

/** Makes the card provider and the carrier as unreliable as the outside world is, or (`false`) reliable. */
export async function setProviderFaults(sandbox: string, random: Random, on: boolean): Promise<void> {
  const rates = on ? FAULTS : NONE;
  const response = await fetch(`${sandbox}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ seed: random.integer(0, 2_147_483_647), payments: rates, carrier: rates }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`the sandbox refused its faults: ${await response.text()}`);
}

export type FaultCounts = Record<'payments' | 'carrier', Record<string, number>>;

/** How often each fault really happened. */
export async function providerFaultCounts(sandbox: string): Promise<FaultCounts> {
  const response = await fetch(`${sandbox}/faults`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  return ((await response.json()) as { counts: FaultCounts }).counts;
}
