import { newKey } from '@holdfast/idempotency/key';
import { createRetryBudget, fullJitterMs, type RetryBudgetOptions } from '@holdfast/resilience';
import type { operations } from './gen/api.ts';
import { orderEvents } from './order-events.ts';

import { type Channel, type Operation, pause, type RetryOptions, type Sent, send } from './send.ts';

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
type Answer<Name extends keyof operations, Status extends number> = operations[Name] extends {
  responses: { [S in Status]: infer Response };
}
  ? Json<Response>
  : never;
type Body<Name extends keyof operations> = operations[Name] extends { requestBody: infer Request }
  ? Json<Request>
  : never;

export type Order = Answer<'placeOrder', 201>;
export type OrderRequest = Body<'placeOrder'>;
export type Dispatched = Answer<'dispatchOrder', 200>;
export type OrderPage = Answer<'listOrders', 200>;
export type Refund = Answer<'refundOrder', 201>;
export type RefundRequest = Body<'refundOrder'>;
export type RefundPage = Answer<'listRefunds', 200>;
export type Saga = Answer<'getSaga', 200>;
export type Stock = Answer<'getStock', 200>;
export type Account = Answer<'getAccount', 200>;
export type AuditPage = Answer<'listAudit', 200>;
export type KeyState = Answer<'getIdempotencyKey', 200>;
export type KeyConfig = Answer<'getConfig', 200>;

export interface ClientOptions {
  /** Where the API is, without a path. */
  baseUrl: string;
  apiKey: string;
  retry?: Partial<RetryOptions>;
  /** Retries that one operation earns, and how many a client may have saved up. */
  budget?: RetryBudgetOptions;
  fetch?: typeof fetch;
  random?: () => number;
  now?: () => number;
}

export interface CallOptions {
  /** Gives the operation up. What has been sent may be done all the same. */
  signal?: AbortSignal;
}

export interface KeyedOptions extends CallOptions {
  /** From an earlier attempt at the same operation that ended as unknown. Left out: a new one. */
  key?: string;
}

export interface ChangeOptions extends KeyedOptions {
  /** Why it is done, for the audit log: up to 200 printable ASCII characters, and nothing about a person. */
  reason?: string;
}

export interface DispatchOptions extends ChangeOptions {
  /** Minor units to capture, of an order that is captured when it is dispatched. Left out: all of it. */
  amount?: number;
}

export interface SetOptions extends ChangeOptions {
  /** Of the resource as it was read: done only if nothing has changed since; else refused with `version-changed`. */
  ifVersion?: number;
}

export interface AuditFilter {
  actor?: string;
  verb?: AuditPage['entries'][number]['verb'];
  /** Path of what was changed. */
  target?: string;
  /** From this instant on, and before that one. */
  from?: Date;
  to?: Date;
  limit?: number;
  cursor?: string;
}

/** A keyed operation's outcome has its key: keep it, and an unknown outcome can be asked for later. */
export type Keyed<T> = T & { key: string };

/** How waiting for an order ended. */
export type Waited =
  /** It is completed, failed or cancelled. */
  | { kind: 'ended'; order: Order }
  /** It waits for an operator. */
  | { kind: 'parked'; order: Order }
  /** Time is up, or the signal aborted; `order` as it was seen last. */
  | { kind: 'in_progress'; order: Order | undefined }
  | Extract<Sent<Order>, { kind: 'refused' }>;

const RETRY: RetryOptions = { maxAttempts: 8, baseMs: 100, capMs: 5_000, attemptTimeoutMs: 10_000 };
const BUDGET = { maxTokens: 40, tokenRatio: 0.2 };
const MAX_SERVER_WAIT_MS = 30_000;

export function createClient(options: ClientOptions): HoldfastClient {
  return new HoldfastClient(options);
}

/** Holdfast's HTTP API. Methods return their outcome; they don't throw for faults of servers and networks. */
export class HoldfastClient {
  readonly #channel: Channel;
  readonly #now: () => number;

  constructor(options: ClientOptions) {
    this.#channel = {
      baseUrl: options.baseUrl.replace(/\/+$/, ''),
      apiKey: options.apiKey,
      fetch: options.fetch ?? fetch,
      random: options.random ?? Math.random,
      budget: createRetryBudget({ ...BUDGET, ...options.budget }),
      retry: { ...RETRY, ...options.retry },
    };
    this.#now = options.now ?? Date.now;
  }

  /** Places an order, once, however often it has to be sent. `waitMs`: how long the server may wait for its end. */
  async placeOrder(
    order: OrderRequest,
    { key = this.#newKey(), waitMs = 0, signal }: KeyedOptions & { waitMs?: number } = {},
  ): Promise<Keyed<Sent<Order>>> {
    const serverWaitMs = Math.min(waitMs, MAX_SERVER_WAIT_MS);
    const operation = { method: 'POST', path: '/v1/orders', body: order, key, waitMs: serverWaitMs, signal } as const;
    return { ...(await send<Order>(this.#channel, operation)), key };
  }

  getOrder(id: string, options: CallOptions = {}): Promise<Sent<Order>> {
    return this.#get(`/v1/orders/${segment(id)}`, options);
  }

  /** One page, newest first; hand `nextCursor` in again for the next. */
  listOrders(
    { status, limit, cursor }: { status?: Order['status']; limit?: number; cursor?: string } = {},
    options: CallOptions = {},
  ): Promise<Sent<OrderPage>> {
    const query = new URLSearchParams();
    if (status !== undefined) query.set('status', status);
    if (limit !== undefined) query.set('limit', String(limit));
    if (cursor !== undefined) query.set('cursor', cursor);
    return this.#get(query.size === 0 ? '/v1/orders' : `/v1/orders?${query}`, options);
  }

  /** `status` 202: not decided yet; ask again. */
  cancelOrder(id: string, options: ChangeOptions = {}): Promise<Keyed<Sent<Order>>> {
    return this.#keyed({ method: 'POST', path: `/v1/orders/${segment(id)}/cancel`, waitMs: 5_000 }, options);
  }

  /**
   * Says that the shipment of a completed order has left; again, the same answer. An order that is captured when it is dispatched is
   * captured first: wholly, or `amount` of it (minor units). `status` 202: not captured yet; ask again.
   */
  dispatchOrder(id: string, { amount, ...options }: DispatchOptions = {}): Promise<Keyed<Sent<Dispatched | Order>>> {
    const body = amount === undefined ? {} : { body: { amount } };
    return this.#keyed({ method: 'POST', path: `/v1/orders/${segment(id)}/dispatch`, ...body }, options);
  }

  /**
   * Gives a completed order back, or a part of it, once, however often it has to be sent. Read it with `getRefund` until it is
   * `succeeded` or `failed`.
   */
  async refundOrder(id: string, refund: RefundRequest, options: ChangeOptions = {}): Promise<Keyed<Sent<Refund>>> {
    return await this.#keyed({ method: 'POST', path: `/v1/orders/${segment(id)}/refunds`, body: refund }, options);
  }

  getRefund(id: string, refundId: string, options: CallOptions = {}): Promise<Sent<Refund>> {
    return this.#get(`/v1/orders/${segment(id)}/refunds/${segment(refundId)}`, options);
  }

  /** One page of an order's refunds, newest first; hand `nextCursor` in again for the next. */
  listRefunds(
    id: string,
    { limit, cursor }: { limit?: number; cursor?: string } = {},
    options: CallOptions = {},
  ): Promise<Sent<RefundPage>> {
    const query = new URLSearchParams();
    if (limit !== undefined) query.set('limit', String(limit));
    if (cursor !== undefined) query.set('cursor', cursor);
    return this.#get(`/v1/orders/${segment(id)}/refunds${query.size === 0 ? '' : `?${query}`}`, options);
  }

  /** Follows an order until it has ended, over whatever breaks on the way, for at most `timeoutMs`. */
  async waitFor(
    id: string,
    { timeoutMs = 60_000, signal }: CallOptions & { timeoutMs?: number } = {},
  ): Promise<Waited> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const until = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    let order: Order | undefined;
    for (let attempt = 0; !until.aborted; attempt++) {
      // Asked first: a missing order must not be waited for, and an ended one needs no stream.
      const seen = await this.getOrder(id, { signal: until });
      if (seen.kind === 'refused') return seen;
      if (seen.kind === 'completed') order = seen.body;
      order = (await this.#follow(id, order, until)) ?? order;
      const settled = order && settledAs(order);
      if (settled !== undefined) return settled;
      await pause(fullJitterMs(this.#channel.retry, attempt, this.#channel.random), until);
    }
    return { kind: 'in_progress', order };
  }

  getSaga(id: string, options: CallOptions = {}): Promise<Sent<Saga>> {
    return this.#get(`/v1/sagas/${segment(id)}`, options);
  }

  /** Goes on with a parked saga. */
  resumeSaga(id: string, options: ChangeOptions = {}): Promise<Keyed<Sent<Saga>>> {
    return this.#keyed({ method: 'POST', path: `/v1/sagas/${segment(id)}/resume` }, options);
  }

  /** Attempts the step of a saga now, parked or between attempts. */
  retrySaga(id: string, options: ChangeOptions = {}): Promise<Keyed<Sent<Saga>>> {
    return this.#keyed({ method: 'POST', path: `/v1/sagas/${segment(id)}/retry` }, options);
  }

  /** Turns a saga back that can still be, parked or not: what may have been started is undone. */
  compensateSaga(id: string, options: ChangeOptions = {}): Promise<Keyed<Sent<Saga>>> {
    return this.#keyed({ method: 'POST', path: `/v1/sagas/${segment(id)}/compensate` }, options);
  }

  getStock(sku: string, options: CallOptions = {}): Promise<Sent<Stock>> {
    return this.#get(`/v1/stock/${segment(sku)}`, options);
  }

  /** Lists an item, or sets what is given of it, once: a retry under the key undoes nothing that came in between. */
  putStock(sku: string, stock: Body<'putStock'>, options: SetOptions = {}): Promise<Keyed<Sent<Stock>>> {
    return this.#put(`/v1/stock/${segment(sku)}`, stock, options);
  }

  adjustStock(sku: string, delta: number, options: ChangeOptions = {}): Promise<Keyed<Sent<Stock>>> {
    return this.#adjust(`/v1/stock/${segment(sku)}/adjust`, delta, options);
  }

  getAccount(customerId: string, options: CallOptions = {}): Promise<Sent<Account>> {
    return this.#get(`/v1/accounts/${segment(customerId)}`, options);
  }

  /** Opens an account, or sets its balance, once: a retry under the key undoes nothing that came in between. */
  putAccount(customerId: string, account: Body<'putAccount'>, options: SetOptions = {}): Promise<Keyed<Sent<Account>>> {
    return this.#put(`/v1/accounts/${segment(customerId)}`, account, options);
  }

  adjustAccount(customerId: string, delta: number, options: ChangeOptions = {}): Promise<Keyed<Sent<Account>>> {
    return this.#adjust(`/v1/accounts/${segment(customerId)}/adjust`, delta, options);
  }

  /** Who asked for which change: one page, newest first; hand `nextCursor` in again for the next. */
  listAudit(filter: AuditFilter = {}, options: CallOptions = {}): Promise<Sent<AuditPage>> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(filter)) {
      if (value !== undefined) query.set(name, value instanceof Date ? value.toISOString() : String(value));
    }
    return this.#get(query.size === 0 ? '/v1/audit' : `/v1/audit?${query}`, options);
  }

  /** The state of a key, without sending anything under it. */
  getKey(key: string, options: CallOptions = {}): Promise<Sent<KeyState>> {
    return this.#get(`/v1/idempotency-keys/${segment(key)}`, options);
  }

  getConfig(options: CallOptions = {}): Promise<Sent<KeyConfig>> {
    return this.#get('/v1/config', options);
  }

  #newKey(): string {
    return newKey(this.#now());
  }

  #get<T>(path: string, { signal }: CallOptions): Promise<Sent<T>> {
    return send<T>(this.#channel, { method: 'GET', path, signal });
  }

  #adjust<T>(path: string, delta: number, options: ChangeOptions): Promise<Keyed<Sent<T>>> {
    return this.#keyed({ method: 'POST', path, body: { delta } }, options);
  }

  #put<T>(path: string, body: object, { ifVersion, ...options }: SetOptions): Promise<Keyed<Sent<T>>> {
    return this.#keyed({ method: 'PUT', path, body, ...(ifVersion !== undefined && { ifVersion }) }, options);
  }

  async #keyed<T>(
    operation: Omit<Operation, 'key' | 'reason' | 'signal'>,
    { key = this.#newKey(), reason, signal }: ChangeOptions,
  ): Promise<Keyed<Sent<T>>> {
    const asked = { ...operation, key, signal, ...(reason !== undefined && { reason }) };
    return { ...(await send<T>(this.#channel, asked)), key };
  }

  /** @returns the order as the stream showed it last; undefined when it showed none */
  async #follow(id: string, known: Order | undefined, until: AbortSignal): Promise<Order | undefined> {
    let seen = known;
    if (seen !== undefined && settledAs(seen) !== undefined) return seen;
    try {
      for await (const order of orderEvents<Order>(this.#channel, id, until)) {
        seen = order;
        if (settledAs(order) !== undefined) return order;
      }
    } catch {
      // Broken off, or time is up: the caller looks at the order again, as long as there is time.
    }
    return seen;
  }
}

function settledAs(order: Order): Extract<Waited, { kind: 'ended' | 'parked' }> | undefined {
  if (order.status === 'parked') return { kind: 'parked', order };
  const isEnded = order.status === 'completed' || order.status === 'failed' || order.status === 'cancelled';
  return isEnded ? { kind: 'ended', order } : undefined;
}

const segment = encodeURIComponent;
