/* The body of a Fetch request, read beside the handler, which may read it again. */
import type { IdempotencyProblem } from '../http/problem.ts';

/** What a body is refused with before anything is claimed (H20). */
export type BodyProblem = Omit<IdempotencyProblem, 'code'> & { code: 'body-too-large' | 'malformed-json' };

const TOO_LARGE: BodyProblem = {
  code: 'body-too-large',
  status: 413,
  title: 'The body is too large',
  detail: 'Send a shorter body.',
  retryable: false,
};
const MALFORMED: BodyProblem = {
  code: 'malformed-json',
  status: 400,
  title: 'The body is not well-formed JSON',
  detail: 'Send well-formed JSON in UTF-8.',
  retryable: false,
};

/** A body that is refused before anything is claimed. */
export class BodyRefused extends Error {
  readonly problem: BodyProblem;
  constructor(problem: BodyProblem) {
    super(problem.title);
    this.problem = problem;
  }
}

/**
 * JSON as its value, so that white space and order make no difference; everything else as its bytes.
 * @throws BodyRefused
 */
export async function readBody(request: Request, maxBytes: number): Promise<unknown> {
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return undefined;
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(request.headers.get('content-type') ?? '')) return bytes;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new BodyRefused(MALFORMED);
  }
}

async function readBytes(request: Request, maxBytes: number): Promise<Buffer> {
  if (request.bodyUsed) throw new TypeError('the body was read before: give `bodyOf` of the route, which returns it');
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.clone().body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new BodyRefused(TOO_LARGE);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
