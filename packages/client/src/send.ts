/*
 * One operation over HTTP: one request, sent again under the same key until its outcome is known or time is up.
 *
 * K2  The key is chosen once per operation and never again: whatever is retried is the same request.
 * S4  A lost answer is neither success nor failure: it is asked for again, and what stays unknown is returned as unknown.
 *
 * This is the only layer that retries: full jitter, a budget over all operations, and never earlier than `Retry-After`.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { fullJitterMs, type RetryBudget } from '@holdfast/resilience';
import { type Problem, problemIn } from './problem.ts';

export interface Channel {
  baseUrl: string;
  apiKey: string;
  fetch: typeof fetch;
  /** Uniform in [0, 1). */
  random: () => number;
  budget: RetryBudget;
  retry: RetryOptions;
}

export interface RetryOptions {
  /** Attempts at one operation, the first one included. */
  maxAttempts: number;
  /** Pauses grow from `baseMs` by doubling up to `capMs`; each is drawn from 0 to that. */
  baseMs: number;
  capMs: number;
  /** How long one attempt may take, beside the time that the server was asked to wait. */
  attemptTimeoutMs: number;
}

export interface Operation {
  method: 'GET' | 'PUT' | 'POST';
  path: string;
  body?: unknown;
  key?: string;
  /** `Audit-Reason`. */
  reason?: string;
  /** `If-Match`: the version that the resource must still have. */
  ifVersion?: number;
  /** How long the server may wait with its answer (`Prefer: wait`), in milliseconds. */
  waitMs?: number;
  signal?: AbortSignal | undefined;
}

export type Sent<T> =
  | { kind: 'completed'; status: number; body: T; replayed: boolean }
  /** The server says that a retry can't help. */
  | { kind: 'refused'; problem: Problem }
  /** Attempts, budget or the signal's time ran out: it may have been done or not; send the same key again. */
  | { kind: 'unknown'; why: string };

type SentOnce<T> = Exclude<Sent<T>, { kind: 'unknown' }> | { kind: 'unknown'; why: string; retryAfterMs: number };

/** Never throws for what the server or the network does; an abort ends in `unknown`. */
export async function send<T>(channel: Channel, operation: Operation): Promise<Sent<T>> {
  const { retry, budget, random } = channel;
  for (let attempt = 1; ; attempt++) {
    const outcome = await attemptOnce<T>(channel, operation);
    if (outcome.kind !== 'unknown') {
      budget.succeeded();
      return outcome;
    }
    const mayRetry = budget.failed();
    const { why, retryAfterMs } = outcome;
    if (operation.signal?.aborted) return { kind: 'unknown', why: `aborted: ${why}` };
    if (attempt >= retry.maxAttempts) return { kind: 'unknown', why: `after ${attempt} attempts: ${why}` };
    if (!mayRetry) return { kind: 'unknown', why: `the retry budget is spent: ${why}` };
    await pause(retryAfterMs + fullJitterMs(retry, attempt - 1, random), operation.signal);
    if (operation.signal?.aborted) return { kind: 'unknown', why: `aborted: ${why}` };
  }
}

async function attemptOnce<T>(channel: Channel, operation: Operation): Promise<SentOnce<T>> {
  const waitMs = operation.waitMs ?? 0;
  const timeout = AbortSignal.timeout(channel.retry.attemptTimeoutMs + waitMs);
  const signal = operation.signal === undefined ? timeout : AbortSignal.any([operation.signal, timeout]);
  try {
    const response = await channel.fetch(`${channel.baseUrl}${operation.path}`, {
      method: operation.method,
      headers: headersOf(channel, operation),
      ...(operation.body !== undefined && { body: JSON.stringify(operation.body) }),
      signal,
    });
    // A body that breaks off is a lost answer like any other.
    return read<T>(response, await response.text());
  } catch (error) {
    return { kind: 'unknown', why: reasonOf(error), retryAfterMs: 0 };
  }
}

function headersOf(
  { apiKey }: Channel,
  { body, key, reason, ifVersion, waitMs = 0 }: Operation,
): Record<string, string> {
  return {
    authorization: `Bearer ${apiKey}`,
    accept: 'application/json, application/problem+json',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(key !== undefined && { 'idempotency-key': key }),
    ...(reason !== undefined && { 'audit-reason': reason }),
    ...(ifVersion !== undefined && { 'if-match': `"${ifVersion}"` }),
    ...(waitMs > 0 && { prefer: `wait=${Math.ceil(waitMs / 1_000)}` }),
  };
}

function read<T>(response: Response, text: string): SentOnce<T> {
  const body = parse(text);
  if (response.ok && body !== undefined) {
    const replayed = response.headers.get('idempotent-replayed') === 'true';
    return { kind: 'completed', status: response.status, body: body as T, replayed };
  }
  const problem = problemIn(body);
  if (problem !== undefined && !problem.retryable) return { kind: 'refused', problem };
  // Not from the API itself (a proxy on the way, a page cut short): whether the API was reached is not known.
  const why = problem ? `${problem.code}: ${problem.detail}` : `HTTP ${response.status} without a problem of the API`;
  return { kind: 'unknown', why, retryAfterMs: retryAfterMs(response.headers.get('retry-after')) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const MAX_RETRY_AFTER_S = 60;

/** Seconds; a date or nonsense counts as nothing said. */
function retryAfterMs(header: string | null): number {
  return header !== null && /^\d+$/.test(header) ? Math.min(Number(header), MAX_RETRY_AFTER_S) * 1_000 : 0;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** Returns after `ms`, or as soon as `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal && { signal }).catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
  });
}
