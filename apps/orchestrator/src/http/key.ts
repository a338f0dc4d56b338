import { keyHeaders, keyIn } from '@holdfast/idempotency/http';
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
    /** Set for routes that take a key, once its syntax is right; null where none was sent and none is needed. */
    requestKey: RequestKey | null;
  }
}

/** @param isOptional an empty one is meant to be a key all the same, and without one it would be done each time @throws Problem H1, H2 */
export function keyOf(request: FastifyRequest, isOptional = false): string {
  const parsed = keyIn(request.headers);
  if (parsed.kind === 'missing' && isOptional) throw new Problem('idempotency-key-invalid');
  if (parsed.kind !== 'key') throw new Problem(`idempotency-key-${parsed.kind}`);
  return parsed.key;
}

/** The key of a request on a keyed route. */
export function requestKeyOf(request: FastifyRequest): RequestKey {
  if (request.requestKey === null) throw new Error('this route is not keyed: give it `config: { keyed: true }`');
  return request.requestKey;
}

/** Every answer to a keyed request says what it knows of its key: errors too, once the key's syntax is right. */
export function registerKeyHeaders(app: FastifyInstance, retention: Retention, now: () => Date): void {
  app.decorateRequest('requestKey', null);
  app.addHook('onSend', (request: FastifyRequest, reply: FastifyReply, payload: unknown, done) => {
    if (request.requestKey === null) return done(null, payload);
    const { key, replayed, claimedAt } = request.requestKey;
    reply.headers(keyHeaders({ key, replayed, expiresAt: expiresAt(retention, claimedAt ?? now()).toISOString() }));
    done(null, payload);
  });
}
