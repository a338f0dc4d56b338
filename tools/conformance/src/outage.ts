import { setTimeout as delay } from 'node:timers/promises';
import { until } from './control.ts';
import type { Called, Calls } from './grpc-call.ts';
import { OrderCalls, RESERVE } from './rules/order-calls.ts';
import { Shop } from './shop.ts';
import type { Reply, Target } from './target.ts';

export interface SeenOutage {
  overHttp: {
    /** What was answered until an order was accepted again, under one key. */
    refused: Reply[];
    /** Orders that were accepted, the one after the outage among them. */
    accepted: number;
    effects: Awaited<ReturnType<Shop['effects']>>;
  };
  overGrpc: {
    /** What was answered until the call was done, under one key. */
    told: Called[];
    done: Called | undefined;
    /** Calls that should have had their effect, the last one among them. */
    calls: number;
    held: number;
  };
}

// Not a promise of any rule: how long a database may take to come back after a power failure, on a busy machine.
const BACK_WITHIN_MS = 45_000;
const MOST_BEFORE = 5_000;
const KILLED_EVERY_MS = 300;

/** The store goes, as by a power failure, for both rules that look at it: H18 over HTTP, G15 over gRPC. */
export class Outage {
  readonly #target: Target;
  readonly #calls: Calls;
  #seen: Promise<SeenOutage> | undefined;

  constructor(target: Target, calls: Calls) {
    this.#target = target;
    this.#calls = calls;
  }

  /** @throws NotSeen where the database can't be ended; Error when it doesn't come back */
  seen(): Promise<SeenOutage> {
    this.#seen ??= this.#see();
    return this.#seen;
  }

  async #see(): Promise<SeenOutage> {
    const [ordered, called] = [await Shop.open(this.#target), await Shop.open(this.#target)];
    const { control } = this.#target;
    const felt = { overHttp: false, overGrpc: false };
    const [orders, grpc] = await Promise.all([
      this.#order(ordered, () => {
        felt.overHttp = true;
      }),
      this.#call(called, () => {
        felt.overGrpc = true;
      }),
      this.#keepDown(() => felt.overHttp && felt.overGrpc),
    ]);
    await control.untilAllReady();
    // Those accepted before have no client that waits for them.
    await until('all orders have their effects', 20_000, async () => (await ordered.effects()).held >= orders.accepted);
    return {
      overHttp: { ...orders, effects: await ordered.effects() },
      overGrpc: { ...grpc, held: (await called.effects()).held },
    };
  }

  /**
   * Ends the store until both ways have felt it: a server may be back within a second, and a pooler lets its clients wait that
   * long. @throws Error when they don't in time
   */
  async #keepDown(isFelt: () => boolean): Promise<void> {
    await until('the outage is felt over HTTP and over gRPC', BACK_WITHIN_MS, async () => {
      if (isFelt()) return true;
      try {
        this.#target.control.killPostgres();
      } catch (error) {
        // It is not back yet.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
      await delay(KILLED_EVERY_MS);
      return isFelt();
    });
  }

  /** @param felt an order was refused because the store is away */
  async #order(shop: Shop, felt: () => void): Promise<Omit<SeenOutage['overHttp'], 'effects'>> {
    // The server's own processes may outlive it for a moment, and what they still accept is an order like any other.
    let accepted = 0;
    let key = '';
    await until('an order is refused', 10_000, async () => {
      key = this.#target.newKey();
      const { status } = await shop.place(key);
      if (status === 201) accepted += 1;
      return status !== 201;
    });
    const refused: Reply[] = [];
    let placed: Reply | undefined;
    await until('an order is accepted again', BACK_WITHIN_MS, async () => {
      const reply = await shop.place(key);
      if (reply.status === 201) placed = reply;
      else refused.push(reply);
      if (reply.body?.code === 'store-unavailable') felt();
      return placed !== undefined;
    });
    await this.#target.untilEnded(placed?.body.id);
    return { refused, accepted: accepted + 1 };
  }

  /** @param felt a call was refused */
  async #call(shop: Shop, felt: () => void): Promise<Omit<SeenOutage['overGrpc'], 'held'>> {
    const reserve = (order: OrderCalls) =>
      this.#calls.step('inventory', 'ReserveInventory', order.id, order.lines, { key: order.key(RESERVE) });
    let last = new OrderCalls(shop);
    let calls = 1;
    while ((await reserve(last)).code === 'OK' && calls < MOST_BEFORE) {
      last = new OrderCalls(shop);
      calls += 1;
    }
    const told: Called[] = [];
    let done: Called | undefined;
    for (const untilMs = performance.now() + BACK_WITHIN_MS; done === undefined && performance.now() < untilMs; ) {
      const called = await reserve(last);
      if (called.code === 'OK') done = called;
      else told.push(called);
      if (told.length > 0) felt();
    }
    return { told, done, calls };
  }
}
