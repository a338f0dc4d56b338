/*
 * What is under way is shared among tenants: one whose card provider hangs keeps its orders here for minutes, and must leave room
 * for the others.
 *
 * A tenant may have up to three times as many orders under way as there is room left. One alone gets three quarters of the
 * room, two get three sevenths each: some room is left for who comes next, and nothing is set apart
 * for tenants that are not there. (Dynamic thresholds, as switches share their buffers.)
 *
 * Only orders that this process has accepted count. Those that it adopts or wakes take room (the engine bounds them) and are
 * nobody's: they have to be finished whoever they belong to.
 */

/** Of the room that is left. */
const TIMES_THE_ROOM = 3;

interface Started {
  kind: string;
}

export interface SharesOptions {
  /** Orders under way in this process at most. */
  maxRunning: number;
  /** Resolves when this process has let the order go: it has ended, waits for something outside, or is another process's. */
  released: (id: string) => Promise<void>;
}

/** The outcome for a tenant that has its share under way: nothing was done. */
export const OVER_SHARE = { kind: 'unavailable', detail: 'this tenant has its share of orders under way' } as const;

export class TenantShares {
  readonly #options: SharesOptions;
  /** By tenant; none that has nothing under way. */
  readonly #underWay = new Map<string, number>();
  #total = 0;

  constructor(options: SharesOptions) {
    this.#options = options;
  }

  /** Counts an order from before its insert until it is released. */
  async start<T extends Started>(
    tenantId: string,
    id: string,
    begin: () => Promise<T>,
  ): Promise<T | typeof OVER_SHARE> {
    const mine = this.#underWay.get(tenantId) ?? 0;
    if (mine >= TIMES_THE_ROOM * (this.#options.maxRunning - this.#total)) {
      return OVER_SHARE;
    }
    this.#count(tenantId, 1);
    let begun = false;
    try {
      const started = await begin();
      begun = started.kind === 'begun';
      return started;
    } finally {
      if (begun) void this.#options.released(id).then(() => this.#count(tenantId, -1));
      else this.#count(tenantId, -1);
    }
  }

  underWay(tenantId: string): number {
    return this.#underWay.get(tenantId) ?? 0;
  }

  #count(tenantId: string, change: 1 | -1): void {
    const left = (this.#underWay.get(tenantId) ?? 0) + change;
    this.#total += change;
    if (left === 0) this.#underWay.delete(tenantId);
    else this.#underWay.set(tenantId, left);
  }
}
