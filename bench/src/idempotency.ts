/*
 * What keys cost: one client, real HTTP, a durable Postgres, all variants in turns in one run, so that only ratios count.
 *
 *   node bench/src/idempotency.ts [--rounds 10] [--per-round 100]
 *
 * The two libraries from npm keep their records in Redis (or, as by default, in the process): they have no transaction to share
 * with the effect, so they are compared for what they cost, not for what they hold.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type AnswerMemory,
  createPool,
  idempotencyMigrations,
  loadFingerprinter,
  migrate,
  newKey,
  type Pool,
} from '@holdfast/idempotency';
import { done, idempotency, keyed } from '@holdfast/idempotency/fastify';
import { connectRedis, createRedisAnswers } from '@holdfast/idempotency/redis';
import { isRedisInstalled, startPostgres, startRedis } from '@holdfast/testkit';
import { Idempotency } from '@node-idempotency/core';
import { RedisStorageAdapter } from '@node-idempotency/storage-adapter-redis';
import express from 'express';
import * as expressIdempotency from 'express-idempotency';
import Fastify from 'fastify';
import { Agent, request } from 'undici';

const INSERT = 'insert into payments (amount, note) values ($1, $2) returning id';
const BODY = JSON.stringify({ amount: 5, note: 'a payment of the usual size, with a little text' });

interface Variant {
  name: string;
  url: string;
  /** Replays keys that this variant has served. */
  replayOf?: string;
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, 'per-round': { type: 'string', default: '100' } },
});
const closing: (() => unknown)[] = [];
try {
  await main(Number(values.rounds), Number(values['per-round']));
} finally {
  for (const close of closing.toReversed()) await close();
}

async function main(rounds: number, perRound: number): Promise<void> {
  if (!isRedisInstalled()) throw new Error('install redis-server first (Debian: redis-server)');
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-keys-'));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ dataDir: join(folder, 'data') });
  closing.push(() => postgres.stop());
  const redis = await startRedis();
  closing.push(() => redis.stop());
  const pool = createPool({
    databaseUrl: await postgres.createDatabase('bench'),
    applicationName: 'bench',
    pipeline: true,
  });
  closing.push(() => pool.end());
  await migrate(pool, [idempotencyMigrations]);
  await pool.query('create table payments (id serial primary key, amount int not null, note text not null)');
  const variants = await startVariants(pool, redis.url);
  const latencies = await measure(variants, rounds, perRound);
  report(variants, latencies);
  await reportBytes(pool);
}

async function startVariants(pool: Pool, redisUrl: string): Promise<Variant[]> {
  const client = connectRedis(redisUrl);
  closing.push(() => client.disconnect());
  const answers = () => createRedisAnswers({ redis: client, fingerprinter, timeoutMs: 1_000 });
  const fingerprinter = await loadFingerprinter(pool);
  const [express_, expressKeyed] = [await expressApp(pool, false), await expressApp(pool, true)];
  const nodeIdempotency = await nodeIdempotencyApp(pool, redisUrl);
  const first = await ours(pool, answers());
  return [
    { name: 'Fastify, bare insert', url: await bareFastify(pool) },
    { name: 'holdfast, first request', url: await ours(pool) },
    { name: 'holdfast with Redis, first request', url: first },
    // Processes of their own: what they replay, they have not served.
    { name: 'holdfast, replay from Postgres', url: await ours(pool), replayOf: 'holdfast, first request' },
    {
      name: 'holdfast, replay from Redis',
      url: await ours(pool, answers()),
      replayOf: 'holdfast with Redis, first request',
    },
    { name: 'holdfast, replay from memory', url: first, replayOf: 'holdfast with Redis, first request' },
    { name: '@node-idempotency/core, first request', url: nodeIdempotency },
    { name: '@node-idempotency/core, replay', url: nodeIdempotency, replayOf: '@node-idempotency/core, first request' },
    { name: 'Express, bare insert', url: express_ },
    { name: 'express-idempotency (in memory), first request', url: expressKeyed },
    {
      name: 'express-idempotency (in memory), replay',
      url: expressKeyed,
      replayOf: 'express-idempotency (in memory), first request',
    },
  ];
}

async function bareFastify(pool: Pool): Promise<string> {
  const app = Fastify();
  closing.push(() => app.close());
  app.post<{ Body: { amount: number; note: string } }>('/payments', async (request, reply) => {
    const { rows } = await pool.query(INSERT, [request.body.amount, request.body.note]);
    return reply.code(201).send({ id: rows[0].id });
  });
  return await app.listen({ host: '127.0.0.1', port: 0 });
}

async function ours(pool: Pool, memory?: AnswerMemory): Promise<string> {
  const app = Fastify();
  closing.push(() => app.close());
  await app.register(idempotency, { pool, memory, tenantOf: () => 'bench' });
  const pay = keyed<{ Body: { amount: number; note: string } }>(async (request, tx) => {
    const { rows } = await tx.query(INSERT, [request.body.amount, request.body.note]);
    return done(201, { id: rows[0].id });
  });
  app.post('/payments', pay);
  return await app.listen({ host: '127.0.0.1', port: 0 });
}

/** As its own Fastify plugin does it: asked before the handler, told of the answer as it leaves. */
async function nodeIdempotencyApp(pool: Pool, redisUrl: string): Promise<string> {
  const storage = new RedisStorageAdapter({ url: redisUrl });
  await storage.connect();
  closing.push(() => storage.disconnect());
  const keys = new Idempotency(storage);
  const app = Fastify();
  closing.push(() => app.close());
  const callOf = ({ headers, url, method, body }: { headers: object; url: string; method: string; body: unknown }) => ({
    headers: headers as Record<string, unknown>,
    path: url,
    method,
    body: body as Record<string, unknown>,
  });
  app.addHook('preHandler', async (request, reply) => {
    const known = await keys.onRequest<string, unknown>(callOf(request));
    if (known !== undefined) return await reply.code(201).type('application/json').send(known.body);
  });
  app.addHook('onSend', async (request, _reply, payload) => {
    await keys.onResponse(callOf(request), { body: payload });
  });
  app.post<{ Body: { amount: number; note: string } }>('/payments', async (request, reply) => {
    const { rows } = await pool.query(INSERT, [request.body.amount, request.body.note]);
    return reply.code(201).send({ id: rows[0].id });
  });
  return await app.listen({ host: '127.0.0.1', port: 0 });
}

async function expressApp(pool: Pool, withKeys: boolean): Promise<string> {
  const app = express();
  app.use(express.json());
  if (withKeys) app.use(expressIdempotency.idempotency());
  app.post('/payments', async (incoming, outgoing) => {
    // It calls the handler after a replay, too; whoever uses it has to ask.
    if (withKeys && expressIdempotency.getSharedIdempotencyService().isHit(incoming)) return;
    const { rows } = await pool.query(INSERT, [incoming.body.amount, incoming.body.note]);
    outgoing.status(201).send({ id: rows[0].id });
  });
  const server = await new Promise<Server>((resolve) => {
    const listening: Server = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** All variants in turns, so that what else the machine does meets all of them alike. */
async function measure(variants: Variant[], rounds: number, perRound: number): Promise<Map<string, number[]>> {
  const agent = new Agent({ connections: 1 });
  closing.push(() => agent.close());
  const latencies = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const served = new Map<string, string[]>();
    for (const { name, url, replayOf } of variants) {
      const keys =
        replayOf === undefined ? Array.from({ length: perRound }, () => newKey()) : (served.get(replayOf) ?? []);
      served.set(name, keys);
      for (const key of keys) {
        const sentAtMs = performance.now();
        const status = await send(agent, url, key);
        if (status !== 201) throw new Error(`${name} answered ${status}`);
        if (round > 0) latencies.get(name)?.push(performance.now() - sentAtMs);
      }
    }
  }
  return latencies;
}

async function send(dispatcher: Agent, url: string, key: string): Promise<number> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const { statusCode, body } = await request(`${url}/payments`, { method: 'POST', headers, body: BODY, dispatcher });
  await body.text();
  return statusCode;
}

function report(variants: Variant[], latencies: Map<string, number[]>): void {
  const p50 = (name: string) => (latencies.get(name) ?? []).toSorted((one, other) => one - other);
  const middle = (name: string) => p50(name)[Math.floor(p50(name).length / 2)] ?? Number.NaN;
  const bare = { fastify: middle('Fastify, bare insert'), express: middle('Express, bare insert') };
  console.log('| | p50, ms | of the bare insert | more than it, ms |\n|---|---|---|---|');
  for (const { name } of variants) {
    const base = /express/i.test(name) ? bare.express : bare.fastify;
    const ms = middle(name);
    console.log(`| ${name} | ${ms.toFixed(2)} | ${(ms / base).toFixed(2)} | ${(ms - base).toFixed(2)} |`);
  }
}

async function reportBytes(pool: Pool): Promise<void> {
  await pool.query('vacuum claims');
  const { rows } = await pool.query(
    `select pg_total_relation_size('claims')::float8 / count(*) as bytes, count(*) as keys from claims`,
  );
  console.log(
    `${Math.round(rows[0].bytes)} bytes per key in Postgres, index and answer included (${rows[0].keys} keys)`,
  );
}
