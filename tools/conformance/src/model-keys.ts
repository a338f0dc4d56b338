/*
 * The oracle: what may be true of a key, whatever happened to the system while requests under it were sent.
 *
 *   effects per key <= 1
 *   all 2xx bodies of a key are the same bytes, as long as its answer has not expired
 *   no 2xx without its effect; at most one 2xx that says it was not a replay
 *   of two different requests under one key at most one is ever done
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { until } from './control.ts';
import { uuidV7 } from './keys.ts';
import type { Target } from './target.ts';

/** The request that the key was made for, or another one under it. */
export type Variant = 'first' | 'other';
type Kind = 'balance' | 'card' | 'adjust';

interface Answered {
  variant: Variant;
  status: number;
  text: string;
  isReplay: boolean;
  expiresAtMs: number;
  sentAtMs: number;
  receivedAtMs: number;
}

interface KeyRecord {
  key: string;
  /** Of its own, so that effects can be told from those of other keys. */
  sku: string;
  kind: Kind;
  answers: Answered[];
}

const ON_HAND = 1_000;
const KINDS: Kind[] = ['balance', 'card', 'adjust'];
const SIZE: Record<Variant, number> = { first: 1, other: 3 };
const REQUEST_TIMEOUT_MS = 8_000;
const SETTLED_WITHIN_MS = 45_000;

export class KeyedRequests {
  readonly #target: Target;
  readonly #customerId: string;
  readonly #records: KeyRecord[];
  readonly #underWay = new Set<Promise<void>>();

  private constructor(target: Target, customerId: string, records: KeyRecord[]) {
    this.#target = target;
    this.#customerId = customerId;
    this.#records = records;
  }

  /** A rich customer, and an item for each key that may be used. */
  static async prepare(target: Target, keys: number): Promise<KeyedRequests> {
    const customerId = `customer-${randomUUID()}`;
    const records = Array.from({ length: keys }, (_, at) => ({
      key: uuidV7(Date.now()),
      sku: `sku-${randomUUID()}`,
      kind: KINDS[at % KINDS.length] ?? 'balance',
      answers: [],
    }));
    const puts: [string, object][] = [
      [`/v1/accounts/${customerId}`, { balance: 1_000_000, currency: 'EUR' }],
      ...records.map(({ sku }): [string, object] => [
        `/v1/stock/${sku}`,
        { onHand: ON_HAND, unitPrice: 100, currency: 'EUR' },
      ]),
    ];
    for (const [path, body] of puts) {
      const key = target.newKey();
      await until(`PUT ${path}`, 20_000, async () => (await target.http('PUT', path, { body, key })).status === 200);
    }
    return new KeyedRequests(target, customerId, records);
  }

  /** Sends a request under a key, and goes on at once. */
  send(at: number, variant: Variant, options: { replica: number; waitS: number }): void {
    const sending = this.#ask(this.#record(at), variant, options).then(() => {
      this.#underWay.delete(sending);
    });
    this.#underWay.add(sending);
  }

  async untilExpired(): Promise<void> {
    await Promise.all(this.#underWay);
    const expirations = this.#records.flatMap(({ answers }) => answers.map(({ expiresAtMs }) => expiresAtMs));
    await delay(Math.max(0, ...expirations.map((at) => at - Date.now())) + 50);
  }

  /** Sends every used key once more until it is answered, and holds all that was seen to the oracle. */
  async judge(used: number): Promise<void> {
    await Promise.all(this.#underWay);
    await Promise.all(this.#records.slice(0, used).map((record) => this.#judgeKey(record)));
  }

  async #judgeKey(record: KeyRecord): Promise<void> {
    // Whichever request was first taken up under the key is the one that is done.
    const first = await this.#untilDefinite(record, 'first');
    const winner = first.status === 422 ? 'other' : 'first';
    const answered = winner === 'first' ? first : await this.#untilDefinite(record, 'other');
    const about = `${record.kind} under ${record.key}`;
    expect([200, 201], `${about}: ${answered.text}`).toContain(answered.status);
    const done = record.answers.filter(({ status }) => status === 200 || status === 201);
    expect(new Set(done.map(({ variant }) => variant)), about).toEqual(new Set([winner]));
    // One answer was the first, or was lost; all others are replays.
    expect(done.filter(({ isReplay }) => !isReplay).length, about).toBeLessThanOrEqual(1);
    const kept = done.filter(({ receivedAtMs, expiresAtMs }) => receivedAtMs < expiresAtMs);
    expect(new Set(kept.map(({ text }) => text)).size, about).toBeLessThanOrEqual(1);
    await this.#expectOneEffect(record, winner, JSON.parse(answered.text));
  }

  async #expectOneEffect({ kind, sku, key }: KeyRecord, winner: Variant, body: { id: string }): Promise<void> {
    const size = SIZE[winner];
    if (kind !== 'adjust') {
      const order = await this.#target.untilEnded(body.id, 0, SETTLED_WITHIN_MS);
      expect([order.status, order.items], key).toMatchObject(['completed', [{ sku, quantity: size }]]);
    }
    const stock = await this.#target.http('GET', `/v1/stock/${sku}`);
    expect([stock.body.onHand, stock.body.reserved], `${kind} under ${key}`).toEqual(
      kind === 'adjust' ? [ON_HAND + size, 0] : [ON_HAND, size],
    );
    if (kind === 'card') expect(await this.#target.captures(body.id), key).toBe(1);
  }

  async #untilDefinite(record: KeyRecord, variant: Variant): Promise<Answered> {
    let answer: Answered | undefined;
    await until(`${record.kind} under ${record.key} has its answer`, SETTLED_WITHIN_MS, async () => {
      answer = await this.#ask(record, variant, { replica: 0, waitS: 5 });
      return answer !== undefined && answer.status < 500 && answer.status !== 409;
    });
    return answer as Answered;
  }

  /** @returns undefined when there was no answer: nothing is known then */
  async #ask(
    record: KeyRecord,
    variant: Variant,
    { replica, waitS }: { replica: number; waitS: number },
  ): Promise<Answered | undefined> {
    const { path, body } = this.#requestOf(record, variant);
    const sentAtMs = Date.now();
    const reply = await this.#target
      .http('POST', path, {
        body,
        key: record.key,
        replica,
        ...(waitS > 0 && { prefer: `wait=${waitS}` }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS + waitS * 1_000),
      })
      .catch(() => undefined);
    if (reply === undefined) return undefined;
    const answered: Answered = {
      variant,
      status: reply.status,
      text: reply.text,
      isReplay: reply.headers.get('idempotent-replayed') === 'true',
      expiresAtMs: Date.parse(reply.headers.get('idempotency-expires') ?? ''),
      sentAtMs,
      receivedAtMs: Date.now(),
    };
    record.answers.push(answered);
    return answered;
  }

  #requestOf({ kind, sku }: KeyRecord, variant: Variant): { path: string; body: object } {
    const size = SIZE[variant];
    if (kind === 'adjust') return { path: `/v1/stock/${sku}/adjust`, body: { delta: size } };
    const body = {
      customerId: this.#customerId,
      currency: 'EUR',
      items: [{ sku, quantity: size }],
      payment: { method: kind === 'card' ? 'pm_card_visa' : 'balance' },
      shipTo: { name: 'Model', line1: 'Chance Street 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
    };
    return { path: '/v1/orders', body };
  }

  #record(at: number): KeyRecord {
    const record = this.#records[at];
    if (record === undefined) throw new Error(`no key ${at} was prepared`);
    return record;
  }
}
