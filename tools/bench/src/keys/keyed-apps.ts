/** The same route over and over: with keys and without, by this library and by others. Each listens on a port of its own. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AnswerCache, Pool } from '@holdfast/idempotency';
import { done, idempotency, idempotent } from '@holdfast/idempotency/fastify';
import { Idempotency } from '@node-idempotency/core';
import { RedisStorageAdapter } from '@node-idempotency/storage-adapter-redis';
import express from 'express';
import * as expressIdempotency from 'express-idempotency';
import Fastify, { type FastifyInstance } from 'fastify';

export interface Payment {
  amount: number;
  note: string;
}

export const PAYMENT: Payment = { amount: 5, note: 'a payment of the usual size, with a little text' };
export const INSERT = 'insert into payments (amount, note) values ($1, $2) returning id';

/** Closes what was opened, in the end. */
export type AtEnd = (close: () => unknown) => void;

async function listening(app: FastifyInstance, atEnd: AtEnd): Promise<string> {
  atEnd(() => app.close());
  return await app.listen({ host: '127.0.0.1', port: 0 });
}

/** Parses and answers, and does nothing. */
export async function idleFastify(atEnd: AtEnd): Promise<string> {
  const app = Fastify();
  app.post<{ Body: Payment }>('/payments', async (request, reply) => reply.code(201).send({ id: request.body.amount }));
  return await listening(app, atEnd);
}

export async function bareFastify(pool: Pool, atEnd: AtEnd): Promise<string> {
  const app = Fastify();
  insertRoute(app, pool);
  return await listening(app, atEnd);
}

function insertRoute(app: FastifyInstance, pool: Pool): void {
  app.post<{ Body: Payment }>('/payments', async (request, reply) => {
    const { rows } = await pool.query(INSERT, [request.body.amount, request.body.note]);
    return reply.code(201).send({ id: rows[0].id });
  });
}

export async function keyedFastify(pool: Pool, atEnd: AtEnd, cache?: AnswerCache): Promise<string> {
  const app = Fastify();
  await app.register(idempotency, { pool, cache, tenantOf: () => 'bench' });
  const pay = idempotent<{ Body: Payment }>(async (request, tx) => {
    const { rows } = await tx.query(INSERT, [request.body.amount, request.body.note]);
    return done(201, { id: rows[0].id });
  });
  app.post('/payments', pay);
  return await listening(app, atEnd);
}

/** As its own Fastify plugin does it: asked before the handler, told of the answer as it leaves. */
export async function nodeIdempotencyFastify(pool: Pool, redisUrl: string, atEnd: AtEnd): Promise<string> {
  const storage = new RedisStorageAdapter({ url: redisUrl });
  await storage.connect();
  atEnd(() => storage.disconnect());
  const keys = new Idempotency(storage);
  const app = Fastify();
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
  insertRoute(app, pool);
  return await listening(app, atEnd);
}

export async function expressApp(pool: Pool, withKeys: boolean, atEnd: AtEnd): Promise<string> {
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
    const listens: Server = app.listen(0, '127.0.0.1', () => resolve(listens));
  });
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
