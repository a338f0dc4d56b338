/*
 * Retries for a grpc-js client, as an interceptor: one key per logical call, the same at every attempt.
 *
 * - Never without a key: a method that takes none passes through, once.
 * - Only after UNAVAILABLE and ABORTED, and never when the server says not to (`grpc-retry-pushback-ms` of -1, or one that
 *   can't be read).
 * - One layer: turn the channel's own retries off (`'grpc.enable_retries': 0`), two layers multiply.
 * - Budgeted: when many calls fail, retries stop before they become the load that keeps the server down.
 */

import {
  InterceptingCall,
  type InterceptingListener,
  type Interceptor,
  type InterceptorOptions,
  Metadata,
  type NextCall,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import { createRetryBudget, fullJitterMs, type RetryBudget } from '@holdfast/resilience';
import { newKey } from '../core/new-key.ts';

export interface RetryOptions {
  /** Which methods take a key, by path (`/shop.v1.Payments/Charge`). Default: every unary one. */
  isKeyed?: (path: string) => boolean;
  /** For a call whose metadata has no `idempotency-key` yet. Default a UUIDv7. */
  newKey?: () => string;
  /** Attempts at most, the first one included. Default 5. */
  maxAttempts?: number;
  /** Before the n-th retry: a random time from 0 to `baseMs` x 2^(n-1), at most `maxMs`. Default 50 and 2,000. */
  baseMs?: number;
  maxMs?: number;
  budget?: RetryBudget;
  /** From 0 to 1. */
  random?: () => number;
}

/** For `new Client(address, credentials, { interceptors: [retries()] })`; one for all calls of a channel: it has the budget. */
export function retries(options: RetryOptions = {}): Interceptor {
  const policy = {
    isKeyed: options.isKeyed ?? (() => true),
    newKey: options.newKey ?? newKey,
    maxAttempts: options.maxAttempts ?? 5,
    baseMs: options.baseMs ?? 50,
    maxMs: options.maxMs ?? 2_000,
    budget: options.budget ?? createRetryBudget(),
    random: options.random ?? Math.random,
  };
  return (callOptions, nextCall) => {
    const { path, requestStream, responseStream } = callOptions.method_definition;
    if (requestStream || responseStream || !policy.isKeyed(path)) return new InterceptingCall(nextCall(callOptions));
    return new RetriedCall(policy, callOptions, nextCall).intercepting;
  };
}

type Policy = Required<RetryOptions>;
type Attempt = ReturnType<NextCall>;

/** What an attempt has brought, kept back until it is the last one. */
interface Received {
  metadata: Metadata | undefined;
  message: unknown;
}

class RetriedCall {
  readonly intercepting: InterceptingCall;
  readonly #policy: Policy;
  readonly #options: InterceptorOptions;
  readonly #nextCall: NextCall;
  #metadata = new Metadata();
  #message: unknown;
  #listener: InterceptingListener | undefined;
  #current: Attempt;
  #attempts = 1;
  #timer: NodeJS.Timeout | undefined;
  #cancelled = false;

  constructor(policy: Policy, options: InterceptorOptions, nextCall: NextCall) {
    this.#policy = policy;
    this.#options = options;
    this.#nextCall = nextCall;
    const first = nextCall(options);
    this.#current = first;
    this.intercepting = new InterceptingCall(first, {
      start: (metadata, listener, next) => {
        // A copy: a caller that uses its metadata again means another call, which needs a key of its own.
        this.#metadata = metadata.clone();
        if (metadata.get('idempotency-key').length === 0) this.#metadata.set('idempotency-key', policy.newKey());
        this.#listener = listener;
        next(this.#metadata.clone(), this.#receive());
      },
      sendMessage: (message, next) => {
        this.#message = message;
        next(message);
      },
      cancel: (next) => this.#cancel(first, next),
    });
  }

  #receive() {
    const received: Received = { metadata: undefined, message: undefined };
    return {
      onReceiveMetadata: (metadata: Metadata) => {
        received.metadata = metadata;
      },
      onReceiveMessage: (message: unknown) => {
        received.message = message;
      },
      onReceiveStatus: (ended: StatusObject) => this.#ended(ended, received),
    };
  }

  #ended(ended: StatusObject, received: Received): void {
    const waitMs = this.#retryAfterMs(ended);
    if (waitMs === undefined) this.#deliver(ended, received);
    else this.#timer = setTimeout(() => this.#retry(), waitMs);
  }

  /** @returns undefined when this was the last attempt */
  #retryAfterMs(ended: StatusObject): number | undefined {
    const { budget, maxAttempts, baseMs, maxMs, random } = this.#policy;
    if (ended.code !== status.UNAVAILABLE && ended.code !== status.ABORTED) {
      budget.succeeded();
      return undefined;
    }
    const mayRetry = budget.failed();
    const pushback = ended.metadata.get('grpc-retry-pushback-ms')[0]?.toString();
    if (!mayRetry || this.#cancelled || this.#attempts >= maxAttempts) return undefined;
    if (pushback !== undefined && !/^\d{1,9}$/.test(pushback)) return undefined;
    const jitterMs = fullJitterMs({ baseMs, capMs: maxMs }, this.#attempts - 1, random);
    // A server's pushback is the least that we wait; the jitter keeps those that it pushed back together apart.
    const waitMs = pushback === undefined ? jitterMs : Number(pushback) + jitterMs;
    return waitMs < this.#remainingMs() ? waitMs : undefined;
  }

  #remainingMs(): number {
    const { deadline } = this.#options;
    if (deadline === undefined) return Number.POSITIVE_INFINITY;
    return Number(deadline) - Date.now();
  }

  #retry(): void {
    this.#timer = undefined;
    this.#attempts += 1;
    const attempt = this.#nextCall(this.#options);
    this.#current = attempt;
    attempt.start(this.#metadata.clone(), this.#receive());
    attempt.sendMessage(this.#message);
    attempt.halfClose();
  }

  #deliver(ended: StatusObject, { metadata, message }: Received): void {
    if (metadata !== undefined) this.#listener?.onReceiveMetadata(metadata);
    // Null is what a unary call without an answer gets, ahead of its status.
    this.#listener?.onReceiveMessage(message ?? null);
    this.#listener?.onReceiveStatus(ended);
  }

  #cancel(first: Attempt, next: () => void): void {
    this.#cancelled = true;
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      const ended = { code: status.CANCELLED, details: 'Cancelled on client', metadata: new Metadata() };
      this.#deliver(ended, { metadata: undefined, message: undefined });
    } else if (this.#current === first) {
      next();
    } else {
      this.#current.cancelWithStatus(status.CANCELLED, 'Cancelled on client');
    }
  }
}
