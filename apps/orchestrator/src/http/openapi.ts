import swagger from '@fastify/swagger';
import { Type } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { TSchema } from 'typebox';
import { type ProblemCode, problems } from './problem.ts';
import { ProblemSchema } from './schemas/order-schemas.ts';
import { DESCRIPTION, SCHEME_DESCRIPTION } from './scopes.ts';

export const keyHeader = Type.String({
  description:
    'A new one for every operation, the same one for every retry: 16 to 128 of `[A-Za-z0-9._~:-]`, best a new UUIDv7',
  // No UUIDv7: an example in this form is soon too old, and a reader who tries it gets a refusal.
  examples: ['till-7~20260314T092653589Z~order'],
});
export const preferHeader = Type.Optional(
  Type.String({
    description:
      '`wait=N`: wait up to N seconds (at most 30) for the terminal status, or until the customer has to act (RFC 7240)',
  }),
);

/** The headers about the key, in every answer to a keyed request. @param own headers of the answer beside them */
export function withKeyHeaders(schema: TSchema, own: object = {}): object {
  return {
    description: 'The answer, the same for every retry',
    headers: {
      ...own,
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

export const ETAG = {
  ETag: { type: 'string', description: 'The version of the resource, for `If-Match`' },
};
/** An answer with its version. */
export function withEtag(schema: TSchema): object {
  return { description: 'The resource as it is', headers: ETAG, content: { 'application/json': { schema } } };
}

/** Of every route that needs an API key; and what a connection is answered before it is known which route is meant. */
const COMMON_PROBLEMS = [
  'malformed-request',
  'request-timeout',
  'headers-too-large',
  'unauthorized',
  'insufficient-scope',
  'internal',
  // Also where the route itself asks no database: whether an API key still counts may not be known.
  'store-unavailable',
] as const satisfies ProblemCode[];
/** Of every route that may come with a body, and of every one whose path, query or body has a schema. */
export const BODY_PROBLEMS = [
  'invalid-request',
  'malformed-json',
  'body-too-large',
  'unsupported-media-type',
] as const satisfies ProblemCode[];
/** Of every route that asks a database. */
export const STORE_PROBLEMS = ['try-again', 'store-unavailable'] as const satisfies ProblemCode[];
/** Of every route that claims a key when one is sent. */
export const OPTIONAL_KEY_PROBLEMS = [
  'idempotency-key-invalid',
  'request-in-progress',
  'idempotency-key-expired',
  'idempotency-key-reused',
] as const satisfies ProblemCode[];
/** Of every route that claims a key. */
export const KEY_PROBLEMS = ['idempotency-key-missing', ...OPTIONAL_KEY_PROBLEMS] as const satisfies ProblemCode[];

/** The responses of a route that answers with these problems: a list of codes for each status. */
export function problemResponses(...own: ProblemCode[]): Record<number, object> {
  const codes = new Set<ProblemCode>([...COMMON_PROBLEMS, ...own]);
  const statuses = Map.groupBy(codes, (code) => problems[code].status);
  return Object.fromEntries(
    [...statuses].map(([status, of]) => [
      status,
      {
        description: of.map((code) => `\`${code}\``).join(', '),
        content: { 'application/problem+json': { schema: ProblemSchema } },
      },
    ]),
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
        { name: 'refunds', description: 'Giving completed orders back, wholly or in part' },
        { name: 'sagas', description: 'How an order is carried out, step by step' },
        { name: 'stock', description: 'The catalogue' },
        { name: 'accounts', description: 'Customers’ accounts' },
        { name: 'api-keys', description: 'Who may call, and what for' },
        { name: 'audit', description: 'Who changed what' },
        { name: 'keys', description: 'What idempotency keys stand for, and how long' },
      ],
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: SCHEME_DESCRIPTION } } },
      security: [{ apiKey: [] }],
    },
  });
  // With any key of a tenant: a stranger is told nothing of what there is.
  app.get('/openapi.json', { schema: { hide: true, operationId: DESCRIPTION } }, async () => app.swagger());
}
