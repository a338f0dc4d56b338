/*
 * The orders of a chaos run: many clients, each of which repeats its request until it has been accepted. Some customers have to
 * answer their bank, some leave it at that, and some orders are given back in parts once they are completed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '@holdfast/cluster';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** Clients that wait long for an answer make little noise. */
const REQUEST_TIMEOUT_MS = 2_000;
const BANK_TIMEOUT_MS = 10_000;
const RETRY_MS = 100;
const SKUS = 20;
/** Followers look so often: a few hundred of them, on the machine that carries out the orders. */
const LOOK_EVERY_MS = 700;
/** Enough for most orders, not for all. */
const ON_HAND_SHARE = 0.9;

/** Of all orders. */
export interface Shares {
  /** Their customer has to answer the bank. */
  waiting: number;
  /** Given back in parts, of those that are completed. */
  refunded: number;
  /** Only authorised, of those by card; dispatched or cancelled once they are completed. */
  captured: number;
}

interface Seen {
  status: string;
  nextAction: { clientSecret: string } | null;
  capture?: { status: string };
}

interface Followed {
  waits: boolean;
  isRefunded: boolean;
  isLater: boolean;
}

const ENDED = new Set(['completed', 'failed', 'cancelled', 'parked']);
const SETTLED = new Set(['captured', 'released', 'expired']);

export class Clients {
  accepted = 0;
  /** Banks that were answered. */
  answered = 0;
  /** Refunds that were accepted. */
  refunds = 0;
  /** Orders that were dispatched, or cancelled, after they had been authorised. */
  settlements = 0;
  readonly #shares: Shares;
  readonly #followers = new Set<Promise<void>>();
  #failure: unknown;
  /** Requests that had to be sent again. */
  repeated = 0;
  cancels = 0;
  readonly #cluster: Cluster;
  readonly #random: () => number;
  readonly #seed: number;

  constructor(cluster: Cluster, random: RandomGenerator, seed: number, shares: Shares) {
    this.#shares = shares;
    this.#cluster = cluster;
    this.#random = () => uniformFloat64(random);
    this.#seed = seed;
  }

  /** Stock and accounts for so many orders. @throws Error when the API does not take them */
  async stockUp(orders: number): Promise<void> {
    const onHand = Math.ceil((orders * 1.5 * ON_HAND_SHARE) / SKUS);
    for (let sku = 0; sku < SKUS; sku++) {
      const item = { onHand, unitPrice: 100 + sku, currency: 'EUR' };
      await this.#untilTaken('PUT', `/v1/stock/sku-${sku}`, item, `chaos-stock-up-${this.#seed}-sku-${sku}`);
    }
    for (const [customer, balance] of [
      ['rich', 1_000_000_000],
      ['poor', 5_000],
    ] as const) {
      const account = { balance, currency: 'EUR' };
      await this.#untilTaken('PUT', `/v1/accounts/${customer}`, account, `chaos-stock-up-${this.#seed}-${customer}`);
    }
  }

  /**
   * @param room resolves when another order may come: more at once than the system gets done would only run out of time,
   *   and meet no fault in the middle of its steps
   */
  async placeAll(orders: number, concurrency: number, room: () => Promise<void>): Promise<void> {
    let next = 0;
    const client = async () => {
      while (next < orders) {
        const mine = next++;
        await room();
        await this.#place(mine);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, client));
  }

  /** What customers still do, whose orders were accepted: it is over when nothing goes wrong any more. @throws what the API refused */
  async settled(): Promise<void> {
    await Promise.all(this.#followers);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #place(n: number): Promise<void> {
    const waits = this.#random() < this.#shares.waiting;
    const isRefunded = this.#random() < this.#shares.refunded;
    const capture = this.#random() < this.#shares.captured ? 'on_dispatch' : undefined;
    const order = this.#order(waits, capture);
    const isLater = capture !== undefined && order.payment.method !== 'balance';
    const cancels = this.#random() < 0.03;
    const { id } = await this.#untilTaken(
      'POST',
      '/v1/orders',
      order,
      `chaos-${this.#seed}-order-${String(n).padStart(8, '0')}`,
    );
    this.accepted += 1;
    if ((waits || isRefunded || isLater) && id !== undefined) this.#follow(id, { waits, isRefunded, isLater });
    if (!cancels) return;
    // Whether it is still in time is the order's business; the request itself may be lost.
    this.cancels += 1;
    await this.#send('POST', `/v1/orders/${id}/cancel`, undefined, undefined, n);
  }

  #follow(id: string, { waits, isRefunded, isLater }: Followed): void {
    const outcome = this.#random() < 0.15 ? 'fail' : 'succeed';
    // Some never come back: the order ends when their time is over.
    const leaves = this.#random() < 0.1;
    const parts = isRefunded ? [1, 2].map(() => 1 + Math.floor(this.#random() * 60)) : [];
    const verb = this.#random() < 0.6 ? 'dispatch' : 'cancel';
    const following = async () => {
      if (waits && !leaves) await this.#answerBank(id, outcome);
      if (isLater && !(await this.#settle(id, verb))) return;
      if (parts.length > 0) await this.#giveBack(id, parts);
    };
    const failed = (error: unknown) => {
      this.#failure ??= error;
    };
    const follower = following()
      .catch(failed)
      .finally(() => this.#followers.delete(follower));
    this.#followers.add(follower);
  }

  async #answerBank(id: string, outcome: 'succeed' | 'fail'): Promise<void> {
    const { nextAction } = await this.#until(id, ({ status }) => status !== 'processing');
    if (nextAction === null) return;
    const body = JSON.stringify({ clientSecret: nextAction.clientSecret, outcome });
    const headers = { 'content-type': 'application/json' };
    const url = `${this.#cluster.run.sandbox}/browser/authenticate`;
    try {
      // Too late, if the order has been cancelled meanwhile: then there is nothing to answer any more.
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(BANK_TIMEOUT_MS),
      });
      await response.body?.cancel();
      this.answered += 1;
    } catch {
      // The order ends all the same: when its time is over.
    }
  }

  /** @returns whether it can be refunded now */
  async #settle(id: string, verb: 'dispatch' | 'cancel'): Promise<boolean> {
    const ended = await this.#until(id, ({ status }) => ENDED.has(status));
    if (ended.status !== 'completed') return false;
    const key = `chaos-settle-${this.#seed}-${id}`;
    for (let turn = 0; ; turn++) {
      const answer = await this.#send('POST', `/v1/orders/${id}/${verb}`, undefined, key, turn);
      // 202: under way. 409 of a key that is: likewise.
      const isOpen = answer === undefined || answer.status >= 500 || answer.status === 202;
      if (!isOpen && (answer.body as { code?: string }).code !== 'request-in-progress') break;
      this.repeated += 1;
      await delay(LOOK_EVERY_MS);
    }
    this.settlements += 1;
    const { capture } = await this.#until(id, ({ capture }) => SETTLED.has(capture?.status ?? ''));
    return capture?.status === 'captured';
  }

  /** More than was captured, now and then: the second is refused then. */
  async #giveBack(id: string, parts: number[]): Promise<void> {
    const { status } = await this.#until(id, ({ status }) => ENDED.has(status));
    if (status !== 'completed') return;
    const give = async (amount: number, n: number) => {
      await this.#untilTaken('POST', `/v1/orders/${id}/refunds`, { amount }, `chaos-refund-${n}-${id}`);
      this.refunds += 1;
    };
    await Promise.all(parts.map(give));
  }

  async #until(id: string, suits: (order: Seen) => boolean): Promise<Seen> {
    for (let turn = 0; ; turn++) {
      const answer = await this.#send('GET', `/v1/orders/${id}`, undefined, undefined, turn);
      if (answer?.status === 200 && suits(answer.body as Seen)) return answer.body as Seen;
      await delay(LOOK_EVERY_MS);
    }
  }

  #order(waits: boolean, capture: 'on_dispatch' | undefined) {
    const draw = this.#random();
    const plain = draw < 0.5 ? 'balance' : draw < 0.93 ? 'pm_card_visa' : 'pm_card_chargeDeclined';
    const method = waits ? 'pm_card_authenticationRequired' : plain;
    const sku = () => `sku-${Math.floor(this.#random() * SKUS)}`;
    const items = [...new Set([sku(), sku()])].map((name) => ({ sku: name, quantity: 1 }));
    const postalCode = this.#random() < 0.03 ? '00000' : '53111';
    return {
      customerId: this.#random() < 0.95 ? 'rich' : 'poor',
      currency: 'EUR',
      items,
      payment: { method, ...(method !== 'balance' && capture && { capture }) },
      shipTo: { name: 'Ann', line1: 'Harbour Road 1', city: 'Bonn', postalCode, country: 'DE' },
    };
  }

  async #untilTaken(method: string, path: string, body: object, key?: string): Promise<{ id?: string }> {
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#send(method, path, body, key, attempt);
      if (answer !== undefined && answer.status < 300) return answer.body as { id?: string };
      if (answer !== undefined && answer.status < 500 && ![409, 429].includes(answer.status)) {
        throw new Error(`${method} ${path} was refused: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
      this.repeated += 1;
      await delay(RETRY_MS * (0.5 + this.#random()));
    }
  }

  async #send(method: string, path: string, body: object | undefined, key: string | undefined, turn: number) {
    const orchestrators = this.#cluster.run.services.filter(({ name }) => name === 'orchestrator');
    const { http } = orchestrators[(turn + Math.floor(this.#random() * 2)) % orchestrators.length] as { http: string };
    try {
      const response = await fetch(http + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#cluster.run.apiKey}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      return { status: response.status, body: (await response.json()) as unknown };
    } catch {
      // Killed, paused or cut off: the request may have been taken, and is sent again under the same key.
      return undefined;
    }
  }
}
