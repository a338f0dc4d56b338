/** A shop of somebody else's that uses the plugin, for its tests. */
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { done, type IdempotencyOptions, idempotency, idempotent, refused } from '../src/fastify/index.ts';
import { idempotencyMigrations } from '../src/index.ts';

interface Payment {
  Body: { amount: number; note?: string; cvc?: string };
  Params: { shop: string };
}

/** What the handler does meanwhile, for tests that need it to take its time or to fail. */
type During = (request: FastifyRequest<Payment>) => Promise<void>;

/** A database for the tests of a file, and the shops that they open on it. */
export function testShops() {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase('fastify', [idempotencyMigrations], { max: 8 });
    await database.pool.query(
      'create table payments (id serial primary key, key text not null unique, amount int not null)',
    );
  });
  afterAll(() => database.drop());
  const opened: FastifyInstance[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((app) => app.close()));
  });

  /** A shop of somebody else's: its own authentication, table and error handler. */
  async function shop(options: Partial<IdempotencyOptions> = {}, during: During = async () => {}): Promise<string> {
    const app = Fastify({ forceCloseConnections: true });
    opened.push(app);
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization === undefined) return await reply.code(401).send({ error: 'who are you?' });
    });
    const tenantOf = (request: FastifyRequest) => String(request.headers.authorization);
    await app.register(idempotency, { pool: database.pool, tenantOf, ...options });
    app.addHook('onSend', async (_request, reply) => {
      reply.header('x-fresh', String(Math.random()));
    });
    const schema = {
      body: {
        type: 'object',
        required: ['amount'],
        properties: { amount: { type: 'integer' }, currency: { type: 'string', default: 'EUR' } },
      },
      response: { 201: { type: 'object', properties: { id: { type: 'integer' }, amount: { type: 'integer' } } } },
    };
    const route = { schema, config: { idempotency: { redact: ['/cvc'], retentionMs: 60_000 } } };
    const pay = idempotent<Payment>(async (request, tx, inHand) => {
      const { amount } = request.body;
      const values = [inHand?.key, amount];
      const { rows } = await tx.query('insert into payments (key, amount) values ($1, $2) returning id', values);
      await during(request);
      if (amount > 1_000) return refused(409, { reason: 'too much' });
      const id: number = rows[0].id;
      return done(
        201,
        { id, amount, secret: 'not in the schema' },
        { Location: `/payments/${id}`, 'Set-Cookie': 'a=b' },
      );
    });
    app.post('/shops/:shop/payments', route, pay);
    app.post('/shops/:shop/refunds', route, pay);
    const optional = { config: { idempotency: { required: false, current: async () => ({ as: 'it is now' }) } } };
    app.post(
      '/tips',
      optional,
      idempotent(async (_request, _tx, inHand) => done(200, { underKey: inHand?.key ?? null })),
    );
    app.put('/plain', async () => ({ plain: true }));
    await app.listen({ host: '127.0.0.1', port: 0 });
    const address = app.server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  async function paymentsUnder(key: string): Promise<number> {
    const { rows } = await database.pool.query('select from payments where key = $1', [key]);
    return rows.length;
  }

  async function claimsOf(key: string): Promise<number> {
    const { rows } = await database.pool.query('select from claims where scope = $1', [key]);
    return rows.length;
  }

  return { shop, paymentsUnder, claimsOf, opened, pool: () => database.pool };
}

interface Sent {
  path?: string;
  key?: string | undefined;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

export async function send(
  url: string,
  { path = '/shops/1/payments', key, body = { amount: 5 }, text, headers = {} }: Sent,
) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'ada',
      ...(key !== undefined && { 'idempotency-key': key }),
      ...headers,
    },
    body: text ?? JSON.stringify(body),
  });
  const bytes = await response.text();
  const head = (name: string) => response.headers.get(name);
  return { status: response.status, bytes, head, json: () => JSON.parse(bytes), replayed: head('idempotent-replayed') };
}

/** Something that goes on until it is told to end, and says when it has begun. */
export function held() {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const during: During = async () => {
    begun.resolve();
    await ended.promise;
  };
  return { during, begun: begun.promise, end: () => ended.resolve() };
}
