// The table `owners`, and the engine's statements on it alone.

import type { Switches } from '../planted-bugs.ts';
import { none, one, type Result, type Sent } from './result.ts';

const FORGET_AFTER_MS = 600_000;

export class ModelLeases {
  /** owner id → lease_until, as it is stored and as it would be by this database's clock; the same, unless planted. */
  readonly #owners = new Map<number, { name: string; until: number; rightly: number }>();
  readonly #now: () => number;
  readonly #switches: Switches;
  #lastOwnerId = 0;

  constructor(now: () => number, switches: Switches) {
    this.#now = now;
    this.#switches = switches;
  }

  /** @returns null for a statement that is none of its own */
  execute(sent: Sent): Result | null {
    const [first, second] = sent.values;
    switch (sent.name) {
      case 'saga.register-owner':
        return this.#register(first as string, second as number, sent);
      case 'saga.heartbeat':
        return this.#renew(first as number, second as number, sent);
      case 'saga.release-owner':
        return this.#renew(first as number, 0, sent);
      case 'saga.end-leases-of':
        return this.#endLeasesOf(first as string, sent);
      case 'saga.forget-owners':
        return this.#forget(sent);
      default:
        return null;
    }
  }

  /** As a statement sees it. */
  isHeld(ownerId: number, sent: Sent): boolean {
    return (this.#owners.get(ownerId)?.until ?? 0) > this.#leaseNow(sent);
  }

  /** As it is. */
  isAlive(ownerId: number): boolean {
    return (this.#owners.get(ownerId)?.rightly ?? 0) > this.#now();
  }

  #register(name: string, leaseMs: number, sent: Sent): Result {
    this.#lastOwnerId += 1;
    this.#owners.set(this.#lastOwnerId, { name, ...this.#lease(sent, leaseMs) });
    return one({ owner_id: this.#lastOwnerId });
  }

  #endLeasesOf(name: string, sent: Sent): Result {
    let ended = 0;
    for (const [ownerId, owner] of this.#owners) {
      if (owner.name === name) ended += this.#renew(ownerId, 0, sent).rowCount;
    }
    return { rows: [], rowCount: ended };
  }

  #forget(sent: Sent): Result {
    const before = this.#leaseNow(sent) - FORGET_AFTER_MS;
    for (const [id, { until }] of this.#owners) if (until < before) this.#owners.delete(id);
    return none();
  }

  #renew(ownerId: number, leaseMs: number, sent: Sent): Result {
    const held = this.#owners.get(ownerId);
    if (held === undefined || held.until <= this.#leaseNow(sent)) return none();
    this.#owners.set(ownerId, { name: held.name, ...this.#lease(sent, leaseMs) });
    return { rows: [], rowCount: 1 };
  }

  // A lease is by the database's clock; planted, by the clock of whoever asks.
  #leaseNow(sent: Sent): number {
    return this.#switches.leaseBySendersClock ? sent.senderNow : this.#now();
  }

  #lease(sent: Sent, leaseMs: number): { until: number; rightly: number } {
    return { until: this.#leaseNow(sent) + leaseMs, rightly: this.#now() + leaseMs };
  }
}
