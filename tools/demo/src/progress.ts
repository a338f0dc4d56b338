import type { OrderStatus } from './orders/order-body.ts';

/** What the run has come to so far; read by the live view, written by everybody else. */
export class Progress {
  readonly wanted: number;
  /** What a strike is called: `kills`. */
  readonly strikes: string;
  readonly startedAtMs = performance.now();
  begun = 0;
  readonly ended = new Map<OrderStatus, number>();
  readonly reasons = new Map<string, number>();
  readonly kills = new Map<string, number>();
  /** What customers did who had to confirm a payment. */
  readonly customers = new Map<string, number>();
  /** Requests that were sent again under their key. */
  retries = 0;
  /** Parts of completed orders that were given back. */
  refunds = 0;
  /** From the first request of an order to its end as the customer saw it. */
  readonly endedAfterMs: number[] = [];
  lastKillAtMs: number | undefined;
  lastEndAtMs = performance.now();
  /** What no customer should ever see; any one fails the run. */
  readonly complaints: string[] = [];

  constructor(wanted: number, strikes: string) {
    this.wanted = wanted;
    this.strikes = strikes;
  }

  get endedCount(): number {
    return this.endedAfterMs.length;
  }

  get killCount(): number {
    return [...this.kills.values()].reduce((sum, count) => sum + count, 0);
  }

  orderEnded(status: OrderStatus, reason: string | undefined, afterMs: number): void {
    count(this.ended, status);
    if (reason !== undefined) count(this.reasons, reason);
    this.endedAfterMs.push(afterMs);
    this.lastEndAtMs = performance.now();
  }

  customerActed(how: string): void {
    count(this.customers, how);
  }

  killed(service: string): void {
    count(this.kills, service);
    this.lastKillAtMs = performance.now();
  }
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
