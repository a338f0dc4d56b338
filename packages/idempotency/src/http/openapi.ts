import { KEY_PATTERN, KEY_RULE } from '../core/key.ts';
import { PROBLEM_TYPE, problems } from './problem.ts';

const text = (description: string, more: object = {}) => ({ description, schema: { type: 'string', ...more } });

const statuses = [...new Set(Object.values(problems).map(({ status }) => status))];

/**
 * For the OpenAPI document (3.0 or 3.1) of an application: what a keyed operation takes and answers beside its own. Spread
 * `parameters` and `responses` into the operation, and `headers` into its successful responses.
 */
export const openApi = {
  parameters: [
    { name: 'Idempotency-Key', in: 'header', required: true, ...text(KEY_RULE, { pattern: KEY_PATTERN.source }) },
    {
      name: 'Prefer',
      in: 'header',
      required: false,
      ...text('`wait=N`: wait up to N seconds for a request that runs'),
    },
  ],
  headers: {
    'Idempotency-Key': text('The key, as it was sent'),
    'Idempotent-Replayed': text('Whether an earlier request had this answer', { enum: ['true', 'false'] }),
    'Idempotency-Expires': text('Until when a retry gets this very answer', { format: 'date-time' }),
  },
  responses: Object.fromEntries(
    statuses.map((status) => {
      const entries = Object.entries(problems).filter(([, problem]) => problem.status === status);
      const schema = { type: 'object', properties: { code: { type: 'string', enum: entries.map(([code]) => code) } } };
      const description = entries.map(([, { title }]) => title).join('; ');
      return [String(status), { description, content: { [PROBLEM_TYPE]: { schema } } }];
    }),
  ),
};
