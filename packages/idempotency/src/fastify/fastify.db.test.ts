import { type TestDatabase, testDatabase } from '@holdfast/testing';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { idempotencyMigrations, newKey } from '../index.ts';
import { done, idempotency, idempotent } from './index.ts';

// What only this adapter has; the rules of all of them are seen in http/adapters.db.test.ts.

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('fastify', [idempotencyMigrations], { max: 4 });
});
afterAll(() => database.drop());
const opened: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
});

async function appWith(options: Partial<Parameters<typeof idempotency>[1]> = {}): Promise<FastifyInstance> {
  const app = Fastify();
  opened.push(app);
  await app.register(idempotency, { pool: database.pool, tenantOf: () => 'ada', ...options });
  return app;
}

it('writes bodies by the route’s response schema, and takes the request as it was before defaults came in', async () => {
  const answers: string[] = [];
  for (const currency of ['EUR', 'USD']) {
    const app = await appWith();
    const schema = {
      body: {
        type: 'object',
        properties: { amount: { type: 'integer' }, currency: { type: 'string', default: currency } },
      },
      response: { 201: { type: 'object', properties: { id: { type: 'integer' } } } },
    };
    app.post(
      '/pay',
      { schema },
      idempotent(async () => done(201, { id: 1, secret: 'not in the schema' })),
    );
    const headers = { 'idempotency-key': '0123456789abcdef' };
    const answered = await app.inject({ method: 'POST', url: '/pay', headers, payload: { amount: 5 } });
    answers.push(`${answered.statusCode} ${answered.body} ${answered.headers['idempotent-replayed']}`);
  }
  expect(answers).toEqual(['201 {"id":1} false', '201 {"id":1} true']);
});

it('lets the application write problems in its own form', async () => {
  const app = await appWith({ sendProblem: (reply, { code, status }) => reply.code(status).send({ oops: code }) });
  app.post(
    '/pay',
    idempotent(async () => done(200)),
  );
  expect((await app.inject({ method: 'POST', url: '/pay' })).json()).toEqual({ oops: 'idempotency-key-missing' });
  const headers = { 'idempotency-key': newKey() };
  expect((await app.inject({ method: 'POST', url: '/pay', headers })).body).toBe('');
});
