/*
 * What keys cost: one client, a durable Postgres, all variants in turns in one run, without HTTP and over it. Beside each figure
 * stands what it can't be below: a bare insert, a round trip to the store that answers, a route that does nothing.
 *
 *   node tools/bench/src/idempotency.ts [--rounds 10] [--per-round 100] [--only TEXT]
 *
 * The two libraries from npm keep their records in Redis (or, as by default, in the process): they have no transaction to share
 * with the effect, so they are compared for what they cost, not for what they hold.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createKeyedRunner,
  createPool,
  type Fingerprinter,
  idempotencyMigrations,
  loadFingerprinter,
  migrate,
  newKey,
  type Pool,
  rotateDays,
} from '@holdfast/idempotency';
import { connectRedis, createRedisAnswers, type RedisAnswers } from '@holdfast/idempotency/redis';
import { isRedisInstalled, startPostgres, startRedis } from '@holdfast/testing';
import { Agent, request } from 'undici';
import {
  bareFastify,
  expressApp,
  INSERT,
  idleFastify,
  keyedFastify,
  nodeIdempotencyFastify,
  PAYMENT,
} from './keys/keyed-apps.ts';
import { percentile } from './load/loops.ts';

interface Variant {
  name: string;
  call: (key: string) => Promise<unknown>;
  /** Replays keys that this variant has served. */
  replayOf?: string;
  /** What it can't be below: these, together. */
  floor?: string[];
}

const WARM_UP_ROUNDS = 5;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    'per-round': { type: 'string', default: '100' },
    only: { type: 'string', default: '' },
  },
});
const closing: (() => unknown)[] = [];
const atEnd = (close: () => unknown) => void closing.push(close);
try {
  await main(Number(values.rounds), Number(values['per-round']), values.only);
} finally {
  for (const close of closing.toReversed()) await close();
}

async function main(rounds: number, perRound: number, only: string): Promise<void> {
  if (!isRedisInstalled()) throw new Error('install redis-server first (Debian: redis-server)');
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-keys-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ dataDir: join(folder, 'data') });
  atEnd(() => postgres.stop());
  const redis = await startRedis();
  atEnd(() => redis.stop());
  const databaseUrl = await postgres.createDatabase('bench');
  const pool = createPool({ databaseUrl, applicationName: 'bench', pipeline: true });
  atEnd(() => pool.end());
  await migrate(pool, [idempotencyMigrations]);
  // As it is wherever the housekeeping runs: a partition for each day to come.
  await rotateDays(pool);
  await pool.query('create table payments (id serial primary key, amount int not null, note text not null)');
  const all = [...(await withoutHttp(pool, redis.url)), ...(await overHttp(pool, redis.url))];
  const variants = needed(all, only);
  report(variants, await measure(variants, rounds, perRound));
  await reportBytes(pool);
}

/** Those that are asked for, with what they replay and are compared to. */
function needed(all: Variant[], only: string): Variant[] {
  const wanted = new Set(all.filter(({ name }) => name.includes(only)));
  for (const { replayOf, floor = [] } of wanted) {
    for (const other of all) if (other.name === replayOf || floor.includes(other.name)) wanted.add(other);
  }
  return all.filter((variant) => wanted.has(variant));
}

async function redisAnswers(pool: Pool, redisUrl: string) {
  const redis = connectRedis(redisUrl);
  atEnd(() => redis.disconnect());
  const fingerprinter = await loadFingerprinter(pool);
  const answers = () => createRedisAnswers({ redis, fingerprinter, timeoutMs: 1_000 });
  return { redis, fingerprinter, answers };
}

async function withoutHttp(pool: Pool, redisUrl: string): Promise<Variant[]> {
  const { redis, fingerprinter, answers } = await redisAnswers(pool, redisUrl);
  const values = [PAYMENT.amount, PAYMENT.note];
  const asLongAsAnAnswer = Buffer.alloc(256, 'x');
  // Processes of their own: what they replay, they have not served.
  const run = (cache?: RedisAnswers) => keyedInsert(pool, fingerprinter, cache);
  const shared = run(answers());
  const first = 'run(), first request';
  const firstWithRedis = 'run() with Redis, first request';
  return [
    { name: 'select 1', call: () => pool.query({ name: 'one', text: 'select 1' }) },
    { name: 'Redis SET', call: (key) => redis.set(key, asLongAsAnAnswer) },
    { name: 'Redis GET', call: (key) => redis.getBuffer(key), replayOf: 'Redis SET' },
    { name: 'insert', call: () => pool.query(INSERT, values) },
    { name: first, call: run(), floor: ['insert'] },
    { name: firstWithRedis, call: shared, floor: ['insert', 'Redis GET'] },
    { name: 'run(), replay from Postgres', call: run(), replayOf: first, floor: ['select 1'] },
    { name: 'run(), replay from Redis', call: run(answers()), replayOf: firstWithRedis, floor: ['Redis GET'] },
    { name: 'run(), replay from memory', call: shared, replayOf: firstWithRedis },
  ];
}

/** The library as a server of any kind uses it; fingerprints are made anew for each call. */
function keyedInsert(pool: Pool, fingerprinter: Fingerprinter, cache?: RedisAnswers): Variant['call'] {
  const runner = createKeyedRunner({ pool, cache });
  const values = [PAYMENT.amount, PAYMENT.note];
  return async (key) => {
    const fingerprint = fingerprinter.of('pay', PAYMENT, { nameMembers: true });
    const call = { tenantId: 'bench', key, operation: 'pay', fingerprint, waitMs: 0 };
    const { kind } = await runner.run(call, async (tx) => {
      const { rows } = await tx.query(INSERT, values);
      return { kind: 'completed', answer: Buffer.from(JSON.stringify({ id: rows[0].id })) };
    });
    if (kind !== 'completed') throw new Error(`run() is ${kind}`);
  };
}

async function overHttp(pool: Pool, redisUrl: string): Promise<Variant[]> {
  const { answers } = await redisAnswers(pool, redisUrl);
  const agent = new Agent({ connections: 1 });
  atEnd(() => agent.close());
  const to = (url: string) => (key: string) => post(agent, url, key);
  const shared = to(await keyedFastify(pool, atEnd, answers()));
  const nodeIdempotency = to(await nodeIdempotencyFastify(pool, redisUrl, atEnd));
  const expressKeyed = to(await expressApp(pool, true, atEnd));
  const first = 'holdfast, first request';
  const firstWithRedis = 'holdfast with Redis, first request';
  const [idle, bare, bareExpress] = ['Fastify, nothing done', 'Fastify, bare insert', 'Express, bare insert'];
  const nodeFirst = '@node-idempotency/core, first request';
  const expressFirst = 'express-idempotency (in memory), first request';
  const postgres = to(await keyedFastify(pool, atEnd));
  const redis = to(await keyedFastify(pool, atEnd, answers()));
  return [
    { name: idle, call: to(await idleFastify(atEnd)) },
    { name: bare, call: to(await bareFastify(pool, atEnd)) },
    { name: first, call: to(await keyedFastify(pool, atEnd)), floor: [bare] },
    { name: firstWithRedis, call: shared, floor: [bare, 'Redis GET'] },
    { name: 'holdfast, replay from Postgres', call: postgres, replayOf: first, floor: [idle, 'select 1'] },
    { name: 'holdfast, replay from Redis', call: redis, replayOf: firstWithRedis, floor: [idle, 'Redis GET'] },
    { name: 'holdfast, replay from memory', call: shared, replayOf: firstWithRedis, floor: [idle] },
    { name: nodeFirst, call: nodeIdempotency, floor: [bare] },
    { name: '@node-idempotency/core, replay', call: nodeIdempotency, replayOf: nodeFirst, floor: [idle, 'Redis GET'] },
    { name: bareExpress, call: to(await expressApp(pool, false, atEnd)) },
    { name: expressFirst, call: expressKeyed, floor: [bareExpress] },
    { name: 'express-idempotency (in memory), replay', call: expressKeyed, replayOf: expressFirst },
  ];
}

async function post(dispatcher: Agent, url: string, key: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const body = JSON.stringify(PAYMENT);
  const answer = await request(`${url}/payments`, { method: 'POST', headers, body, dispatcher });
  await answer.body.text();
  if (answer.statusCode !== 201) throw new Error(`${url} answered ${answer.statusCode}`);
}

/** All variants in turns, so that what else the machine does meets all of them alike. */
async function measure(variants: Variant[], rounds: number, perRound: number): Promise<Map<string, number[]>> {
  const latencies = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  // The first rounds warm up: a service that has just started runs its code slowly, whoever wrote it.
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const served = new Map<string, string[]>();
    for (const { name, call, replayOf } of variants) {
      const keys =
        replayOf === undefined ? Array.from({ length: perRound }, () => newKey()) : (served.get(replayOf) ?? []);
      served.set(name, keys);
      for (const key of keys) {
        const sentAtMs = performance.now();
        await call(key);
        if (round >= 0) latencies.get(name)?.push(performance.now() - sentAtMs);
      }
    }
  }
  return latencies;
}

function report(variants: Variant[], latencies: Map<string, number[]>): void {
  const middle = (name: string) => {
    const sorted = (latencies.get(name) ?? []).toSorted((one, other) => one - other);
    return percentile(sorted, 0.5);
  };
  console.log('| | p50, ms | more, ms | than |\n|---|---|---|---|');
  for (const { name, floor } of variants) {
    const ms = middle(name);
    const base = (floor ?? []).reduce((sum, other) => sum + middle(other), 0);
    const [more, than] = floor === undefined ? ['', ''] : [(ms - base).toFixed(2), floor.join(' + ')];
    console.log(`| ${name} | ${ms.toFixed(2)} | ${more} | ${than} |`);
  }
}

async function reportBytes(pool: Pool): Promise<void> {
  await pool.query('vacuum holdfast.claims');
  // A day without an answer has no row; an index of its own it has all the same.
  const { rows } = await pool.query(
    `select (pg_total_relation_size('holdfast.claims') + (
               select coalesce(sum(pg_total_relation_size(relid)) filter (where pg_relation_size(relid) > 0), 0)
                 from pg_partition_tree('holdfast.answers') where isleaf))::float8 / count(*) as bytes, count(*)::int as keys
       from holdfast.claims`,
  );
  console.log(
    `${Math.round(rows[0].bytes)} bytes per key in Postgres, index and answer included (${rows[0].keys} keys)`,
  );
}
