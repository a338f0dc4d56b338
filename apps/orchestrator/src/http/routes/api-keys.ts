import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox';
import type { Scope } from '@holdfast/contracts';
import { readApiKey, readApiKeys, revokeApiKey } from '../../api-keys/api-key-store.ts';
import type { KnownApiKeys } from '../../api-keys/known-api-keys.ts';
import {
  MAKE_API_KEY,
  MAX_API_KEYS,
  type Making,
  madeApiKeyId,
  makeApiKey,
  openAnswer,
  showApiKey,
  type WantedApiKey,
} from '../../api-keys/make-api-key.ts';
import { bearerIn } from '../../auth.ts';
import type { ChangeAnswer, ChangeDesk } from '../../keys/change-once.ts';
import { requestKeyOf } from '../key.ts';
import { answerOf, changeHeaders, optionalKey, sendChange } from '../keyed-change.ts';
import {
  BODY_PROBLEMS,
  KEY_PROBLEMS,
  OPTIONAL_KEY_PROBLEMS,
  problemResponses,
  STORE_PROBLEMS,
  withKeyHeaders,
} from '../openapi.ts';
import { pageRequest } from '../page.ts';
import { Problem } from '../problem.ts';
import {
  ApiKeyBody,
  ApiKeyList,
  ApiKeyPageQuery,
  ApiKeyParams,
  ApiKeySchema,
  MadeApiKey,
} from '../schemas/api-key-schemas.ts';

/** `/v1/api-keys`: who may call, and what for. */
export function apiKeyRoutes(desk: ChangeDesk, known: Pick<KnownApiKeys, 'forget'>): FastifyPluginAsyncTypebox {
  const { pool } = desk;
  return async (app) => {
    app.post(
      '/v1/api-keys',
      {
        config: { keyed: true },
        schema: {
          operationId: 'makeApiKey',
          tags: ['api-keys'],
          summary: 'Make an API key',
          description:
            'Its scopes and its end are fixed. The answer has the key itself, which is kept nowhere: put it away. A retry gets the same answer for as long as `Idempotency-Expires` says, if it comes with the credential of the first request; with another one, or later, it gets the same without `key`. If the key was lost, revoke it and make another one.',
          headers: Type.Object(changeHeaders),
          body: ApiKeyBody,
          response: {
            201: withKeyHeaders(MadeApiKey),
            ...problemResponses(...KEY_PROBLEMS, ...BODY_PROBLEMS, 'conflict', ...STORE_PROBLEMS),
          },
        },
      },
      async (request, reply) => {
        const wanted = wantedKey(request.body);
        const { scopes, notBefore, expiresAt } = request.body;
        const { tenantId } = request;
        // There is one: the request has been let in by it.
        const credential = bearerIn(request.headers.authorization) ?? '';
        const making = { tenantId, idempotencyKey: requestKeyOf(request).key, credential };
        const id = madeApiKeyId(desk, making);
        return await sendChange(desk, request, reply, {
          operation: MAKE_API_KEY,
          resource: pathOf(id),
          location: pathOf(id),
          request: request.body,
          // Not its name, which is for people and may be of one.
          asked: { scopes, notBefore, expiresAt },
          call: ({ claimedAt }) => make(desk, { ...making, claimedAt }, wanted),
          show: (body) => openAnswer(body, credential),
          read: async () => JSON.stringify(showApiKey((await readApiKey(pool, tenantId, id)) ?? noSuchKey())),
        });
      },
    );

    app.get(
      '/v1/api-keys',
      {
        schema: {
          operationId: 'listApiKeys',
          tags: ['api-keys'],
          summary: 'API keys, newest first',
          description: 'Those that were made at run time, without their secrets; revoked and expired ones too.',
          querystring: ApiKeyPageQuery,
          response: { 200: ApiKeyList, ...problemResponses('invalid-request', ...STORE_PROBLEMS) },
        },
      },
      async (request) => {
        const page = await readApiKeys(pool, request.tenantId, pageRequest(request.query));
        return { apiKeys: page.rows.map(showApiKey), nextCursor: page.nextCursor };
      },
    );

    app.get(
      '/v1/api-keys/:id',
      {
        schema: {
          operationId: 'getApiKey',
          tags: ['api-keys'],
          summary: 'One API key, without its secret',
          params: ApiKeyParams,
          response: { 200: ApiKeySchema, ...problemResponses('invalid-request', 'not-found', ...STORE_PROBLEMS) },
        },
      },
      async (request) => showApiKey((await readApiKey(pool, request.tenantId, request.params.id)) ?? noSuchKey()),
    );

    app.delete(
      '/v1/api-keys/:id',
      {
        config: { keyed: 'optional' },
        schema: {
          operationId: 'revokeApiKey',
          tags: ['api-keys'],
          summary: 'Revoke an API key',
          description:
            'For good. Within 10 s it opens nothing any more, on no replica. Revoking it again does no harm, with an idempotency key or without.',
          headers: Type.Object(optionalKey),
          params: ApiKeyParams,
          response: {
            200: withKeyHeaders(ApiKeySchema),
            ...problemResponses(...OPTIONAL_KEY_PROBLEMS, ...BODY_PROBLEMS, 'not-found', ...STORE_PROBLEMS),
          },
        },
      },
      async (request, reply) => {
        const { tenantId } = request;
        const { id } = request.params;
        const revoke = async () => {
          const revoked = (await revokeApiKey(pool, tenantId, id)) ?? noSuchKey();
          known.forget(id);
          return { body: showApiKey(revoked), effect: { after: { revokedAt: revoked.revokedAt } } };
        };
        return await sendChange(desk, request, reply, {
          operation: 'DELETE /v1/api-keys/{id}',
          resource: pathOf(id),
          request: { id },
          asked: {},
          call: () => answerOf(revoke, []),
          read: async () => JSON.stringify(showApiKey((await readApiKey(pool, tenantId, id)) ?? noSuchKey())),
        });
      },
    );
  };
}

const pathOf = (id: string) => `/v1/api-keys/${id}`;

/** @throws Problem for what may be otherwise later: it is not stored */
async function make(desk: ChangeDesk, making: Making, wanted: WantedApiKey): Promise<ChangeAnswer> {
  const outcome = await makeApiKey(desk, making, wanted);
  switch (outcome.kind) {
    case 'made':
      return outcome.answer;
    case 'too_many':
      throw new Problem('conflict', `There are ${MAX_API_KEYS} API keys. Revoke some that are not used any more.`);
    case 'never_counts':
      throw endsTooEarly('in the past');
  }
}

function wantedKey(body: { name: string; scopes: Scope[]; notBefore?: string; expiresAt?: string }): WantedApiKey {
  const { name, scopes } = body;
  if (new Set(scopes).size < scopes.length) throw faulty('/scopes', 'one of them stands there twice');
  const notBefore = instantOf(body.notBefore, '/notBefore');
  const expiresAt = instantOf(body.expiresAt, '/expiresAt');
  if (notBefore !== undefined && expiresAt !== undefined && expiresAt <= notBefore)
    throw endsTooEarly('not after `notBefore`');
  return { name, scopes, notBefore, expiresAt };
}

const endsTooEarly = (how: string) => faulty('/expiresAt', `it is ${how}: the key would never count`);

/** @throws Problem for a day or an hour that there is none of, and before there were computers to keep it */
function instantOf(text: string | undefined, pointer: string): Date | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  // Written again, so that the 30th of February is found out: it would be read as a day in March.
  const isOne = !Number.isNaN(at.getTime()) && at.getTime() >= 0 && at.toISOString().startsWith(text.slice(0, 19));
  if (!isOne) throw faulty(pointer, 'there is no such instant, or it is before 1970');
  return at;
}

function faulty(pointer: string, detail: string): Problem {
  return new Problem('invalid-request', undefined, [{ pointer, detail }]);
}

function noSuchKey(): never {
  throw new Problem('not-found', 'You have no API key with this id.');
}
