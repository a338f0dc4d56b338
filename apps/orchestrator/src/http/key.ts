import { KEY_PATTERN } from '@holdfast/idempotency';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

const KEY_LIFETIME_MS = 24 * 60 * 60 * 1_000;

/** `"k"` (a structured-field string) and `k` are the same key. @throws Problem H1, H2 */
export function keyOf(request: FastifyRequest): string {
  const raw = request.headers['idempotency-key'];
  if (raw === undefined || raw === '') {
    throw new Problem('idempotency-key-missing', 'send an Idempotency-Key of your own, new for every new operation');
  }
  // Two headers arrive as a list, or joined by a comma; neither can be told from one malformed key.
  const key = Array.isArray(raw) ? '' : raw.replace(/^"(.*)"$/, '$1');
  if (!KEY_PATTERN.test(key)) {
    throw new Problem('idempotency-key-invalid', 'send one Idempotency-Key of 16 to 128 of [A-Za-z0-9._~:-]');
  }
  return key;
}

/** What every answer to a keyed request says about its key. */
export function keyHeaders(reply: FastifyReply, key: string, replayed: boolean, claimedAt: Date): void {
  reply.header('idempotency-key', key);
  reply.header('idempotent-replayed', String(replayed));
  reply.header('idempotency-expires', new Date(claimedAt.getTime() + KEY_LIFETIME_MS).toISOString());
}
