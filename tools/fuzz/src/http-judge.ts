import type { HttpRequest, Operation } from './http-requests.ts';

export interface HttpAnswer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

const UNAVAILABLE = 503;
const OF_ANOTHER_PATH = new Set([404]);

/** What is wrong with an answer, whatever was asked; undefined when nothing is. */
export function answerFault({ status, headers, body }: HttpAnswer, isHead = false): string | undefined {
  if (status >= 500 && status !== UNAVAILABLE) return `status ${status}: ${body.slice(0, 300)}`;
  if (status < 400 || isHead) return undefined;
  if (!String(headers['content-type']).startsWith('application/problem+json'))
    return `status ${status} with ${headers['content-type']}, not a problem: ${body.slice(0, 200)}`;
  const problem = jsonIn(body);
  if (problem === undefined) return `status ${status} with a body that is no JSON: ${body.slice(0, 200)}`;
  if (typeof problem.code !== 'string' || typeof problem.retryable !== 'boolean')
    return `a problem without code and retryable: ${body.slice(0, 200)}`;
  return problem.status === status ? undefined : `status ${status}, and ${problem.status} in the body`;
}

/** What is wrong with the answer to a request of an operation. */
export function operationFault(request: HttpRequest, answer: HttpAnswer): string | undefined {
  const isHead = request.method === 'HEAD';
  const fault = answerFault(answer, isHead);
  if (fault !== undefined) return fault;
  if (answer.headers['cache-control'] !== 'no-store') return 'an answer that a cache on the way may keep';
  const isAsDescribed = request.method === request.operation.method;
  if (!isAsDescribed || isHead) return undefined;
  return undeclared(request.operation, answer);
}

function undeclared({ name, responses }: Operation, { status, body }: HttpAnswer): string | undefined {
  const declared = responses[status];
  // A path parameter that is empty, or `.`, makes another path.
  if (declared === undefined && OF_ANOTHER_PATH.has(status)) return undefined;
  if (declared === undefined) return `${name} does not declare status ${status}: ${body.slice(0, 200)}`;
  const code = status < 400 ? undefined : jsonIn(body)?.code;
  if (code === undefined || declared.description.includes(`\`${code}\``)) return undefined;
  return `${name} does not declare \`${code}\` for ${status}`;
}

function jsonIn(body: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
