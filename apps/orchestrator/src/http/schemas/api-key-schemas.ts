import { Type } from '@fastify/type-provider-typebox';
import { SCOPES, TEXT_PATTERN } from '@holdfast/contracts';
import { API_KEY_ID } from '../../api-keys/api-key.ts';
import { closed, Instant, nextCursor, nullable, RefundPageQuery } from './order-schemas.ts';

// Shapes of `/v1/api-keys`.

export const ApiKeyParams = Type.Object({ id: Type.String({ pattern: `^${API_KEY_ID}$` }) });
export const ApiKeyPageQuery = RefundPageQuery;

const Name = Type.String({ minLength: 1, maxLength: 100, pattern: TEXT_PATTERN, description: 'For people' });
const Scopes = Type.Array(Type.Enum([...SCOPES]), {
  minItems: 1,
  maxItems: SCOPES.length,
  description: 'What it opens; `admin` can make keys of every scope',
});
const GivenInstant = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z$',
  description: 'RFC 3339, UTC, to the millisecond at most',
  examples: ['2027-01-31T00:00:00Z'],
});

export const ApiKeyBody = Type.Object(
  {
    name: Name,
    scopes: Scopes,
    notBefore: Type.Optional({ ...GivenInstant, description: 'From when on it counts; at once when left out' }),
    expiresAt: Type.Optional({ ...GivenInstant, description: 'When it ends; never by itself when left out' }),
  },
  closed,
);

export const ApiKeySchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  prefix: Type.String({ description: 'How the key begins; it opens nothing', examples: ['hf_main_1A2b…'] }),
  scopes: Type.Array(Type.String()),
  status: Type.Enum(['active', 'pending', 'expired', 'revoked']),
  notBefore: Instant,
  expiresAt: nullable(Instant),
  createdAt: Instant,
  revokedAt: nullable(Instant),
  lastUsedAt: nullable({ ...Instant, description: 'To the hour' }),
});

export const MadeApiKey = Type.Object({
  ...ApiKeySchema.properties,
  key: Type.Optional(
    Type.String({
      description:
        'The key itself, kept nowhere. A retry shows it to the credential that made it alone, until `Idempotency-Expires`',
    }),
  ),
});

export const ApiKeyList = Type.Object({ apiKeys: Type.Array(ApiKeySchema), nextCursor });
