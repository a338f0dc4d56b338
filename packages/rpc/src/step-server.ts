/*
 * The server's side of a stream of steps: each call goes to the handler of its unary method, with the same key, fence
 * and answer. Calls that arrive together reach the handlers in one turn, so that they share transactions there.
 *
 * - Answers that are known in one turn leave in one message.
 * - At most MAX_UNDER_WAY calls of a stream are under way; beyond that the stream is not read, and HTTP/2's flow control
 *   holds the caller back. Answers wait in memory for a slow reader, at most as many.
 * - A stream that ends cancels nothing: the work goes on and is stored (G13).
 */
import { type handleBidiStreamingCall, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { decodeStatus } from './error-details.ts';
import { type Answer, errorOf, type RpcError } from './errors.ts';
import type { RunStepsRequest } from './gen/holdfast/step/v1/RunStepsRequest.ts';
import type { RunStepsResponseInput } from './gen/holdfast/step/v1/RunStepsResponse.ts';
import type { StepCall } from './gen/holdfast/step/v1/StepCall.ts';
import type { StepReplyInput } from './gen/holdfast/step/v1/StepReply.ts';
import { answerOf, type ServerOptions, type Unary } from './server.ts';
import { type CallSource, serverCallFrom } from './server-call.ts';

const MAX_UNDER_WAY = 2_000;
const RESUME_BELOW = 1_000;

type StepStream = ServerDuplexStream<RunStepsRequest, RunStepsResponseInput>;

interface StepMethod {
  path: string;
  decode: (bytes: Buffer) => unknown;
  encode: (message: unknown) => Buffer;
  handler: Unary<unknown, unknown>;
}

export function stepStreams(options: ServerOptions): handleBidiStreamingCall<RunStepsRequest, RunStepsResponseInput> {
  const methods = methodsOf(options);
  return (stream) => serve(stream, methods, options);
}

function methodsOf(options: ServerOptions): Map<string, StepMethod> {
  const unary = options.services.flatMap(({ definition, handlers }) =>
    Object.entries(definition)
      .filter(([, method]) => !method.requestStream && !method.responseStream)
      .map(([name, method]) => {
        const { path, requestDeserialize: decode, responseSerialize: encode } = method;
        return [name, { path, decode, encode, handler: handlers[name] as StepMethod['handler'] }] as const;
      }),
  );
  return new Map(unary);
}

function serve(stream: StepStream, methods: Map<string, StepMethod>, options: ServerOptions): void {
  const outbox = new Outbox(stream);
  const cancelled = new AbortController();
  let underWay = 0;
  stream.on('cancelled', () => cancelled.abort());
  stream.on('data', ({ calls }: RunStepsRequest) => {
    underWay += calls.length;
    if (underWay >= MAX_UNDER_WAY) stream.pause();
    for (const call of calls) {
      void replyTo(call, methods, cancelled.signal, options).then((reply) => {
        outbox.put(reply);
        underWay -= 1;
        if (underWay < RESUME_BELOW && stream.isPaused()) stream.resume();
      });
    }
  });
  // The caller has said its last; what is under way is still answered.
  stream.on('end', () => outbox.endWhen(() => underWay === 0));
}

async function replyTo(
  call: StepCall,
  methods: Map<string, StepMethod>,
  signal: AbortSignal,
  options: ServerOptions,
): Promise<StepReplyInput> {
  const { id } = call;
  const method = methods.get(call.method);
  if (method === undefined) return { id, failure: unknownMethod(call.method) };
  const answer = await answerOf(
    () => method.handler(method.decode(call.request), serverCallFrom(sourceOf(call, signal))),
    method.path,
    options,
  );
  return { id, ...replyOf(answer, method) };
}

function sourceOf(call: StepCall, signal: AbortSignal): CallSource {
  const sentAtMs = performance.now();
  return {
    values(name) {
      const value = fieldOf(call, name);
      return value === '' ? [] : [value];
    },
    remainingMs: () => call.timeoutMs - (performance.now() - sentAtMs),
    signal,
  };
}

function fieldOf(call: StepCall, name: string): string {
  switch (name) {
    case 'idempotency-key':
      return call.idempotencyKey;
    case 'saga-epoch':
      return String(call.sagaEpoch);
    case 'tenant-id':
      return call.tenantId;
    case 'traceparent':
      return call.traceparent;
    default:
      return '';
  }
}

function replyOf(answer: Answer<unknown>, method: StepMethod): Omit<StepReplyInput, 'id'> {
  switch (answer.kind) {
    case 'ok':
      return { response: method.encode(answer.message), replayed: false };
    case 'stored':
      return { response: answer.bytes, replayed: answer.replayed };
    case 'error':
      return { failure: failureOf(answer), replayed: answer.replayed };
  }
}

function failureOf({ statusBytes, pushbackMs }: RpcError) {
  const detail = decodeStatus(statusBytes);
  const code = detail?.code ?? status.INTERNAL;
  return { code, message: detail?.message ?? 'damaged status', statusDetails: statusBytes, pushbackMs };
}

function unknownMethod(name: string) {
  const { statusBytes, pushbackMs } = errorOf('INVALID_REQUEST', `calls.method: this service has no method ${name}`);
  return failureOf({ kind: 'error', statusBytes, pushbackMs, replayed: false });
}

/** Collects the answers of one turn into one message, and waits for a reader that is slow. */
class Outbox {
  readonly #stream: StepStream;
  #replies: StepReplyInput[] = [];
  #scheduled = false;
  #isEnding: (() => boolean) | undefined;

  constructor(stream: StepStream) {
    this.#stream = stream;
    stream.on('drain', () => this.#flushSoon());
  }

  put(reply: StepReplyInput): void {
    this.#replies.push(reply);
    this.#flushSoon();
  }

  endWhen(isDone: () => boolean): void {
    this.#isEnding = isDone;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#scheduled || this.#stream.writableNeedDrain) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    // The caller has gone: what is stored is there when it asks again.
    if (this.#stream.cancelled || this.#stream.destroyed) return;
    if (this.#replies.length > 0) this.#stream.write({ replies: this.#replies.splice(0) });
    if (this.#isEnding?.()) this.#stream.end();
  }
}
