import { KEY_PATTERN } from '@holdfast/idempotency';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { expiresAt, type Retention } from '../keys/key-retention.ts';
import { Problem } from './problem.ts';

/** What a keyed request says about its key in every answer, whatever came of it. */
export interface RequestKey {
  key: string;
  replayed: boolean;
  /** When its first request came; undefined as long as that is not known (nothing was claimed). */
  claimedAt: Date | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for routes that need a key, once its syntax is right. */
    requestKey: RequestKey | null;
  }
}

/** `"k"` (a structured-field string) and `k` are the same key. @throws Problem H1, H2 */
export function keyOf(request: FastifyRequest): string {
  const raw = request.headers['idempotency-key'];
  if (raw === undefined || raw === '') {
    throw new Problem('idempotency-key-missing', 'send an Idempotency-Key of your own, new for every new operation');
  }
  // Two headers arrive as a list, or joined by a comma; neither can be told from one malformed key.
  const key = Array.isArray(raw) ? '' : raw.startsWith('"') && raw.endsWith('"') ? raw.slice(1, -1) : raw;
  if (!KEY_PATTERN.test(key)) {
    throw new Problem('idempotency-key-invalid', 'send one Idempotency-Key of 16 to 128 of [A-Za-z0-9._~:-]');
  }
  return key;
}

/** The key of a request on a keyed route. */
export function requestKeyOf(request: FastifyRequest): RequestKey {
  if (request.requestKey === null) throw new Error('this route is not keyed: give it `config: { keyed: true }`');
  return request.requestKey;
}

/** Every answer to a keyed request tells about its key: errors too, once the key's syntax is right. */
export function registerKeyHeaders(app: FastifyInstance, retention: Retention, now: () => Date): void {
  app.decorateRequest('requestKey', null);
  app.addHook('onSend', (request: FastifyRequest, reply: FastifyReply, payload: unknown, done) => {
    if (request.requestKey === null) return done(null, payload);
    const { key, replayed, claimedAt } = request.requestKey;
    reply.header('idempotency-key', key);
    reply.header('idempotent-replayed', String(replayed));
    reply.header('idempotency-expires', expiresAt(retention, claimedAt ?? now()).toISOString());
    done(null, payload);
  });
}
