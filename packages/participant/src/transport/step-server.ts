/*
 * The server's side of a stream of steps: each call goes to the handler of its unary method, with the same key, fence
 * and answer. Calls that arrive together reach the handlers in one turn, so that they share transactions there.
 *
 * - Answers that are known in one turn leave in one message, or in several when they are large.
 * - A stream's calls count until their answers have left for the wire. Beyond MAX_OPEN of them the stream is not read, and
 *   HTTP/2's flow control holds the caller back: whoever sends and does not read fills no memory here.
 * - A stream that ends cancels nothing: the work goes on and is stored (G13).
 * - A server that stops reads no more of its streams, answers what it has read, and ends them. What it has not read was
 *   not run; its caller hears of the end and asks again with the same key (S4).
 */
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { RunStepsRequest, RunStepsResponseInput, StepCall, StepReplyInput } from '@holdfast/contracts';
import {
  type Answer,
  decodeStatus,
  errorOf,
  InvalidRequest,
  type RpcError,
  type ServerOptions,
  type StepStreams,
  toServiceError,
  translated,
  type Unary,
} from '@holdfast/rpc';
import { StreamedCall } from './streamed-call.ts';

const MAX_OPEN = 2_000;
const RESUME_BELOW = 1_000;
/** An empty call is two bytes: without a bound of its own, one message could carry a hundred thousand. */
export const MAX_CALLS_PER_MESSAGE = 1_000;
// A caller takes 4 MiB in one message unless it says otherwise; beyond that it would lose the stream with every answer.
const MAX_MESSAGE_BYTES = 256 * 1024;
const ENVELOPE_BYTES = 64;

type StepStream = ServerDuplexStream<RunStepsRequest, RunStepsResponseInput>;

interface StepMethod {
  path: string;
  decode: (bytes: Buffer) => unknown;
  encode: (message: unknown) => Buffer;
  handler: Unary<unknown, unknown>;
}

type StepMethods = Map<string, StepMethod>;

export function stepStreams(options: ServerOptions): StepStreams {
  const methods = methodsOf(options);
  const live = new Set<StepSession>();
  return {
    handle(stream) {
      const session = new StepSession(stream, methods, options);
      live.add(session);
      stream.once('close', () => live.delete(session));
    },
    drain() {
      for (const session of live) session.drain();
    },
  };
}

function methodsOf(options: ServerOptions): StepMethods {
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

/** One stream, from its opening to its end. */
class StepSession {
  readonly #stream: StepStream;
  readonly #methods: StepMethods;
  readonly #options: ServerOptions;
  readonly #cancelled = new AbortController();
  #underWay = 0;
  #replies: StepReplyInput[] = [];
  #scheduled = false;
  #reading = true;
  #ended = false;

  constructor(stream: StepStream, methods: StepMethods, options: ServerOptions) {
    this.#stream = stream;
    this.#methods = methods;
    this.#options = options;
    stream.on('cancelled', () => this.#cancelled.abort());
    stream.on('data', (request: RunStepsRequest) => this.#take(request));
    // The caller has said its last; what is under way is still answered.
    stream.on('end', () => this.drain());
    stream.on('drain', () => this.#flushSoon());
  }

  drain(): void {
    this.#reading = false;
    this.#stream.pause();
    this.#flushSoon();
  }

  #take({ calls }: RunStepsRequest): void {
    if (!this.#reading) return;
    if (calls.length > MAX_CALLS_PER_MESSAGE) {
      const refusal = errorOf('INVALID_REQUEST', `calls: send at most ${MAX_CALLS_PER_MESSAGE} in one message`);
      this.#reading = false;
      this.#ended = true;
      this.#stream.emit('error', toServiceError(refusal));
      return;
    }
    this.#underWay += calls.length;
    if (this.#open >= MAX_OPEN) this.#stream.pause();
    for (const call of calls) void this.#run(call);
  }

  async #run(call: StepCall): Promise<void> {
    const reply = await replyTo(call, this.#methods, this.#cancelled.signal, this.#options);
    this.#underWay -= 1;
    this.#replies.push(reply);
    this.#flushSoon();
  }

  /** Calls whose answers have not left yet. */
  get #open(): number {
    return this.#underWay + this.#replies.length;
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
    if (this.#ended || this.#stream.cancelled || this.#stream.destroyed) {
      // The caller has gone: what is stored is there when it asks again.
      this.#replies = [];
      return;
    }
    while (this.#replies.length > 0 && !this.#stream.writableNeedDrain) {
      this.#stream.write({ replies: this.#replies.splice(0, fitting(this.#replies)) });
    }
    if (this.#reading) {
      if (this.#open < RESUME_BELOW && this.#stream.isPaused()) this.#stream.resume();
    } else if (this.#open === 0) {
      this.#ended = true;
      this.#stream.end();
    }
  }
}

/** How many of the first replies make one message; at least one. */
function fitting(replies: StepReplyInput[]): number {
  let bytes = 0;
  for (let at = 0; at < replies.length; at++) {
    const { response, failure } = replies[at] as StepReplyInput;
    bytes += ENVELOPE_BYTES + (response?.length ?? 0) + 2 * (failure?.statusDetails?.length ?? 0);
    if (bytes > MAX_MESSAGE_BYTES) return Math.max(at, 1);
  }
  return replies.length;
}

/** Never rejects. */
async function replyTo(
  call: StepCall,
  methods: StepMethods,
  signal: AbortSignal,
  options: ServerOptions,
): Promise<StepReplyInput> {
  const method = methods.get(call.method);
  if (method === undefined) return replyOf(call, unknownMethod(call.method));
  try {
    const given = await method.handler(requestIn(call, method), new StreamedCall(call, signal));
    if (given.kind === 'error' || 'bytes' in given) return replyOf(call, given);
    // Encoded here, so that a message that can't be is this call's failure and not the process's.
    return replyOf(call, { kind: 'completed', bytes: method.encode(given.message), replayed: false });
  } catch (error) {
    return replyOf(call, translated(error, method.path, options));
  }
}

/** @throws InvalidRequest */
function requestIn(call: StepCall, method: StepMethod): unknown {
  try {
    return method.decode(call.request);
  } catch {
    throw new InvalidRequest('calls.request', `send the request message of ${call.method}, encoded`);
  }
}

function replyOf({ id }: StepCall, answer: Encoded): StepReplyInput {
  if (answer.kind === 'completed') return { id, response: answer.bytes, replayed: answer.replayed };
  return { id, failure: failureOf(answer), replayed: answer.replayed };
}

type Encoded = Exclude<Answer<unknown>, { message: unknown }>;

function failureOf({ statusBytes, pushbackMs }: RpcError) {
  const detail = decodeStatus(statusBytes);
  const code = detail?.code ?? status.INTERNAL;
  return { code, message: detail?.message ?? 'damaged status', statusDetails: statusBytes, pushbackMs };
}

function unknownMethod(name: string): RpcError {
  return errorOf('INVALID_REQUEST', `calls.method: this service has no method ${name.slice(0, 64)}`);
}
