import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from './orders/random.ts';
import type { Progress } from './progress.ts';

export interface Shop {
  http: string;
  apiKey: string;
  /** Unique to the run; a key is the run's and the order's number. */
  runId: string;
  random: Random;
  /** Of the sandbox, where customers' browsers confirm payments. */
  sandbox: string;
  /** Whether payments that nobody confirms end soon; else a customer who leaves cancels. */
  endsUnconfirmed: boolean;
  progress: Progress;
  signal: AbortSignal;
}

interface Reply {
  status: number;
  text: string;
  retryAfterMs: number;
}

const REQUEST_TIMEOUT_MS = 20_000;
/** How long a customer keeps trying before it is a complaint. */
export const PATIENCE_MS = 90_000;
const BACKOFF = { baseMs: 50, capMs: 1_000 };

export interface RequestOptions {
  body?: object;
  headers?: Record<string, string>;
}

/**
 * Sends a request until it has a definite answer: lost connections, time-outs and retryable problems are sent again,
 * after a random pause, the same in every byte.
 * @returns undefined when patience ran out, which is a complaint, or when the run was interrupted
 */
export async function request(
  shop: Shop,
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<Reply | undefined> {
  const deadlineAtMs = performance.now() + PATIENCE_MS;
  for (let attempt = 0; performance.now() < deadlineAtMs && !shop.signal.aborted; attempt++) {
    const reply = await once(shop, method, path, options);
    if (reply !== undefined && !isRetryable(reply)) return reply;
    shop.progress.retries += 1;
    const jitterMs = shop.random.fraction() * Math.min(BACKOFF.capMs, BACKOFF.baseMs * 2 ** attempt);
    await delay(Math.max(jitterMs, (reply?.retryAfterMs ?? 0) * shop.random.fraction()));
  }
  if (!shop.signal.aborted) shop.progress.complaints.push(`${method} ${path}: no answer in ${PATIENCE_MS / 1_000} s`);
  return undefined;
}

/** @returns undefined when the connection was refused or lost, or no answer came in time */
async function once(shop: Shop, method: string, path: string, options: RequestOptions): Promise<Reply | undefined> {
  try {
    const response = await fetch(shop.http + path, {
      method,
      headers: {
        authorization: `Bearer ${shop.apiKey}`,
        ...(options.body && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body && { body: JSON.stringify(options.body) }),
      signal: AbortSignal.any([shop.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    const retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1_000;
    return { status: response.status, text: await response.text(), retryAfterMs };
  } catch {
    // Whatever broke: the client can't know whether the request arrived. The same key is what makes that harmless.
    return undefined;
  }
}

function isRetryable(reply: Reply): boolean {
  if (reply.status < 400) return false;
  try {
    return (JSON.parse(reply.text) as { retryable?: boolean }).retryable === true;
  } catch {
    // Not one of our answers, so it came from something on the way.
    return reply.status >= 500;
  }
}
