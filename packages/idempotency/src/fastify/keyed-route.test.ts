import { createPool } from '@holdfast/postgres';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { done, idempotency, idempotent, refused } from './index.ts';

const opened: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
});
// Never connected to: a route is refused before anything is asked of it.
const pool = createPool({ databaseUrl: 'postgres://nowhere.invalid/none', applicationName: 'test routes' });

describe('a route that could not keep its promise is refused when it is added', () => {
  it.each([
    ['an unwrapped handler', { method: 'POST' as const, handler: async () => '', config: { idempotency: {} } }, 'wrap'],
    ['GET', { method: 'GET' as const, handler: idempotent(async () => done(200)) }, 'needs no key'],
    [
      'Set-Cookie on the list',
      {
        method: 'POST' as const,
        handler: idempotent(async () => done(200)),
        config: { idempotency: { headers: ['Set-Cookie'] } },
      },
      'must not be replayed',
    ],
    [
      'a redaction that is no pointer',
      {
        method: 'POST' as const,
        handler: idempotent(async () => done(200)),
        config: { idempotency: { redact: ['cvc'] } },
      },
      'JSON pointer',
    ],
  ])('%s', async (_name, route, message) => {
    const app = Fastify();
    opened.push(app);
    await app.register(idempotency, { pool, tenantOf: () => 'ada' });
    expect(() => app.route({ url: '/x', ...route })).toThrow(message);
  });

  it('a handler without the plugin says what to do', async () => {
    const app = Fastify();
    opened.push(app);
    app.post(
      '/',
      idempotent(async () => done(200)),
    );
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/' });
    expect([statusCode, body]).toEqual([500, expect.stringContaining('register the idempotency plugin before')]);
  });

  it('a 5xx can’t be stored', () => {
    expect(() => refused(503)).toThrow('never stored');
    expect(() => done(500)).toThrow(RangeError);
  });
});
