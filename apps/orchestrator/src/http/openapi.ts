import swagger from '@fastify/swagger';
import { Type } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { problems } from './problem.ts';
import { ProblemSchema } from './schemas.ts';

export const keyHeader = Type.String({
  description:
    'Yours, new for every new operation, the same for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7',
  // No UUIDv7: one that stands here is old soon, and is refused as such to whoever tries it.
  examples: ['till-7~20260314T092653589Z~order'],
});
export const preferHeader = Type.Optional(
  Type.String({ description: '`wait=N`: wait up to N seconds (at most 30) for the terminal status (RFC 7240)' }),
);

/** What an answer to a keyed request tells about its key. */
export function withKeyHeaders(schema: TSchema): object {
  return {
    description: 'The answer, the same for every retry',
    headers: {
      'Idempotency-Key': { type: 'string', description: 'The key, as it was sent' },
      'Idempotent-Replayed': {
        type: 'string',
        enum: ['true', 'false'],
        description: 'Whether the request had been answered before; nothing was run then',
      },
      'Idempotency-Expires': {
        type: 'string',
        format: 'date-time',
        description: 'Until when a retry gets this very answer; later ones get the resource as it is then',
      },
    },
    content: { 'application/json': { schema } },
  };
}

/** Responses for the given statuses, each listing the problem codes that carry it. */
export function errorResponses(...statuses: number[]): Record<number, object> {
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = Object.entries(problems).flatMap(([code, problem]) => (problem.status === status ? [code] : []));
      return [
        status,
        {
          description: codes.map((code) => `\`${code}\``).join(', '),
          content: { 'application/problem+json': { schema: ProblemSchema } },
        },
      ];
    }),
  );
}

/** Collects the routes registered after it into `/openapi.json` (OpenAPI 3.1). */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Holdfast',
        description: 'Orders that are never charged twice, never oversold and never lost.',
        version: '1.0.0',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: [
        { name: 'orders', description: 'Placing and following orders' },
        { name: 'sagas', description: 'How an order is carried out, step by step' },
        { name: 'stock', description: 'The catalogue' },
        { name: 'accounts', description: 'Customers’ accounts' },
        { name: 'keys', description: 'What idempotency keys stand for, and how long' },
      ],
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
      security: [{ apiKey: [] }],
    },
  });
  app.get('/openapi.json', { config: { public: true }, schema: { hide: true } }, async () => app.swagger());
}
