import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { until } from '../control.ts';
import { durationMs } from '../keys.ts';
import type { Outage } from '../outage.ts';
import { RedisLine } from '../redis.ts';
import { ADDRESS, CARD, Shop, UNIT_PRICE } from '../shop.ts';
import type { Reply, Target } from '../target.ts';
import { NotSeen } from './not-seen.ts';
import { rule } from './rule.ts';

const DUPLICATES = 60;
const MARGIN_MS = 5_000;
/** Longer than this is not waited for. */
const PATIENCE_MS = 60_000;

/** H11, H12, H14, H18, H19: what holds while processes die, sleep and crowd. */
export function failureRules(target: () => Target, outage: () => Outage): void {
  rule('H14', 'N duplicates at once over all replicas have one effect, and delay nobody', target, async (system) => {
    const shop = await Shop.open(system);
    const order = { payment: { method: CARD } };
    const key = system.newKey();
    const idleBeforeMs = await medianOfUnrelated(shop);
    await system.setFaults({ payments: { slow: 1, slowMs: 1_500 } });
    const sent = Array.from({ length: DUPLICATES }, (_, at) =>
      shop.place(key, { order, prefer: at % 3 === 0 ? 'wait=1' : 'wait=5', replica: at }),
    );
    // All of them are there and wait.
    await delay(300);
    const besideMs = await medianOfUnrelated(shop);
    const replies = await Promise.all(sent);
    await system.setFaults({});
    // The kit shares its machine: what slows an idle system down too is not the duplicates' doing.
    const idleMs = Math.max(idleBeforeMs, await medianOfUnrelated(shop));
    const placed = replies.filter(({ status }) => status === 201);
    expect(new Set(placed.map(({ text }) => text)).size).toBe(1);
    expect(placed.filter(({ headers }) => headers.get('idempotent-replayed') === 'false')).toHaveLength(1);
    for (const reply of replies) if (reply.status !== 201) expect(reply.body.code).toBe('request-in-progress');
    const id = placed[0]?.body.id;
    expect((await system.untilEnded(id)).status).toBe('completed');
    expect(await system.captures(id)).toBe(1);
    expect(besideMs - idleMs).toBeLessThan(10);
    return `${placed.length} of ${DUPLICATES} got the answer; beside them a query took ${(besideMs - idleMs).toFixed(1)} ms longer`;
  });

  rule('H11', 'a process is killed: others finish within lease + 5 s, effects ≤ 1', target, async (system) => {
    const shop = await Shop.open(system);
    const { control } = system;
    await system.setFaults({ payments: { slow: 1, slowMs: 150 } });
    const placed: Reply[] = [];
    for (let at = 0; at < 12; at++) {
      placed.push(await shop.place(system.newKey(), at % 2 === 0 ? {} : { order: { payment: { method: CARD } } }));
    }
    const { pid } = control.service('orchestrator');
    control.kill('orchestrator');
    const killedAtMs = performance.now();
    // Where there is no other one, the process that is started in its place is the other one: the same time counts for it.
    const elsewhere = control.replicas('orchestrator') - 1;
    const withinMs = system.options.leaseMs + MARGIN_MS;
    const ended = await Promise.all(placed.map(({ body }) => system.untilEnded(body.id, elsewhere, withinMs)));
    const tookMs = performance.now() - killedAtMs;
    await system.setFaults({});
    await control.untilReady('orchestrator', 0, pid);
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['completed']));
    const { held } = await shop.effects();
    expect(held).toBe(placed.length);
    for (const { id } of ended.filter((_, at) => at % 2 === 1)) expect(await system.captures(id)).toBe(1);
    return `${placed.length} orders, ${Math.round(tookMs)} ms after the kill`;
  });

  rule('H12', 'an owner that wakes up after it was replaced changes nothing', target, async (system) => {
    const shop = await Shop.open(system);
    const { control } = system;
    await system.setFaults({ payments: { slow: 1, slowMs: 400 } });
    const order = { payment: { method: CARD } };
    const placed = await Promise.all(Array.from({ length: 8 }, () => shop.place(system.newKey(), { order })));
    control.pause('orchestrator');
    const isAlone = control.replicas('orchestrator') === 1;
    try {
      // With nobody to replace it, it replaces itself when it finds that its lease has run out.
      if (isAlone) await delay(system.options.leaseMs + 500);
      else await Promise.all(placed.map(({ body }) => system.untilEnded(body.id, 1)));
    } finally {
      control.resume('orchestrator');
    }
    await system.setFaults({});
    await control.untilReady('orchestrator');
    const ended = await Promise.all(placed.map(({ body }) => system.untilEnded(body.id)));
    const before = await Promise.all(ended.map(({ id }) => system.http('GET', `/v1/sagas/${id}`, { replica: 1 })));
    expect(Math.max(...before.map(({ body }) => body.epoch))).toBeGreaterThan(1);
    for (const { id, status } of ended) expect([status, await system.captures(id)]).toEqual(['completed', 1]);
    expect((await shop.effects()).held).toBe(placed.length);
    return isAlone ? 'one replica: replaced by itself under a new epoch' : undefined;
  });

  rule('H18', 'Postgres is down: 503, nothing runs; afterwards the same key goes on', target, async () => {
    const { refused, accepted, effects } = (await outage().seen()).overHttp;
    expect(refused.length).toBeGreaterThan(0);
    for (const reply of refused) {
      expect(reply.body, reply.text).toMatchObject({ status: 503, retryable: true });
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    expect(refused.map(({ body }) => body.code)).toContain('store-unavailable');
    // Those that were accepted before it went, and the last one, whose key was refused meanwhile: once each.
    expect(effects).toMatchObject({ held: accepted, spent: accepted * UNIT_PRICE });
    return `${refused.length} refused meanwhile`;
  });

  rule('H19', 'Redis is flushed, silent or out of date: the same answers', target, async (system) => {
    const { redisUrl } = system.control.run();
    if (redisUrl === null) return 'run without Redis, as all the others';
    const shop = await Shop.open(system);
    const key = system.newKey();
    // In flight, as far as Redis can know; then it is made to believe that for ever.
    await system.setFaults({ payments: { slow: 1, slowMs: 1_500 } });
    const order = { payment: { method: CARD } };
    const placing = shop.place(key, { order, prefer: 'wait=20' });
    // Looked up, not sent again: a duplicate that overtook the first request would be the one that claims the key.
    await until('the key is claimed', 10_000, async () => {
      return (await system.http('GET', `/v1/idempotency-keys/${key}`)).status === 200;
    });
    expect((await shop.place(key, { order, replica: 1 })).status).toBe(409);
    const inFlight = await RedisLine.with(redisUrl, (redis) => redis.snapshot());
    const first = await placing;
    await system.setFaults({});
    expect(first.body.status).toBe('completed');
    for (const disaster of [
      (redis: RedisLine) => redis.restore(inFlight),
      (redis: RedisLine) => redis.send('FLUSHALL'),
      (redis: RedisLine) => redis.send('CLIENT', 'PAUSE', '4000', 'ALL'),
    ]) {
      await RedisLine.with<unknown>(redisUrl, disaster);
      for (const replica of [0, 1]) expect((await shop.place(key, { order, replica })).text).toBe(first.text);
      expect((await shop.place(key)).status).toBe(422);
    }
    const another = await shop.place(system.newKey(), { order });
    expect(another.status).toBe(201);
    for (const { body } of [first, another]) {
      expect((await system.untilEnded(body.id)).status).toBe('completed');
      expect(await system.captures(body.id)).toBe(1);
    }
    expect((await shop.effects()).held).toBe(2);
    return `${inFlight.size} keys in it were made out of date`;
  });
}

/** How long a query takes that has nothing to do with any order here. */
async function medianOfUnrelated(shop: Shop): Promise<number> {
  const times: number[] = [];
  for (let at = 0; at < 30; at++) {
    const startedMs = performance.now();
    await shop.target.http('GET', '/v1/orders/no-such-order', { replica: at });
    times.push(performance.now() - startedMs);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

/** H15 and H23 look back at what the others have done: run last. */
export function afterwardsRules(target: () => Target, firstOrder: () => FirstOrder): void {
  rule('H15', 'past its retention a key shows the resource as it is; nothing runs', target, async (system) => {
    const { shop, key, placed, adjustmentKey, adjusted } = firstOrder();
    const { body: config } = await system.http('GET', '/v1/config');
    const lifetimeMs = durationMs(config.idempotencyKeyLifetime);
    if (lifetimeMs > PATIENCE_MS)
      throw new NotSeen(`needs a life span of keys to wait for, not ${config.idempotencyKeyLifetime}`);
    const expiresAtMs = Math.max(expiryOf(placed), expiryOf(adjusted));
    await until('the first answer expires', PATIENCE_MS, async () => Date.now() > expiresAtMs + 100);
    expect(placed.body.status).toBe('processing');
    const before = await shop.effects();
    const again = await shop.place(key);
    expect([again.status, again.body.id, again.body.status]).toEqual([201, placed.body.id, 'completed']);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.headers.get('location')).toBe(placed.headers.get('location'));
    expect((await shop.place(key, { order: { payment: { method: CARD } } })).status).toBe(422);
    const adjustedAgain = await shop.adjust(adjustmentKey, 1);
    expect([adjustedAgain.status, adjustedAgain.body.onHand]).toEqual([200, before.onHand]);
    expect(adjusted.body.onHand).toBe(before.onHand - 1);
    expect(adjustedAgain.headers.get('idempotent-replayed')).toBe('true');
    const asked = await system.http('GET', `/v1/idempotency-keys/${key}`);
    expect(asked.body.state).toBe('expired');
    expect(await shop.effects()).toEqual(before);
    return undefined;
  });

  rule('H23', 'no payment method, address or whole key in logs and metrics', target, async (system) => {
    const places = new Map<string, string>();
    for (const url of metricsOf(system)) places.set(url, await (await fetch(`${url}/metrics`)).text());
    const { logDir } = system.options;
    if (logDir === undefined) throw new NotSeen('needs the logs: set HOLDFAST_STATE_DIR to the folder that has them');
    // The database's own log is the operator's; its statements carry no values.
    for (const file of readdirSync(logDir)) places.set(file, readFileSync(join(logDir, file), 'utf8'));
    const secrets = [ADDRESS, CARD, system.options.apiKey, ...system.keys];
    for (const [place, text] of places) {
      for (const secret of secrets) expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
    }
    return `${places.size} places, ${system.keys.size} keys`;
  });
}

export interface FirstOrder {
  shop: Shop;
  key: string;
  placed: Reply;
  adjustmentKey: string;
  adjusted: Reply;
}

/** What H15 looks at when everything else is done. */
export async function placeFirstOrder(system: Target): Promise<FirstOrder> {
  const shop = await Shop.open(system);
  const [key, adjustmentKey] = [system.newKey(), system.newKey()];
  const placed = await shop.place(key);
  const adjusted = await shop.adjust(adjustmentKey, 1);
  expect([adjusted.status, (await shop.adjust(system.newKey(), 1)).status]).toEqual([200, 200]);
  return { shop, key, placed, adjustmentKey, adjusted };
}

function expiryOf(reply: Reply): number {
  return Date.parse(reply.headers.get('idempotency-expires') ?? '');
}

function metricsOf(system: Target): string[] {
  return system.options.control?.run().services.map(({ ops }) => ops) ?? system.options.urls;
}
