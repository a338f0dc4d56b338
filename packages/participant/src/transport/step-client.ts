/*
 * The caller's side of a stream of steps: a client of one participant whose calls leave together. The calls of one turn
 * are one message; the answers come as they are known.
 *
 * - A call has one outcome, told once: its answer, or that it is not known (time-out, stream lost, given up). Not known is
 *   neither success nor failure: the caller asks again with the same key (S4).
 * - A participant that does not offer streams (one of an older release) is called method by method. Streams are tried
 *   again after a while.
 * - There are a few streams, taken in turn, because each stays with the replica that it was opened to. One that has grown
 *   old, or on which a call got no answer in time, takes no more calls and is replaced, maybe by another replica's.
 * - What a peer that does not read leaves in memory is bounded: a call that times out retires its stream, and a stream
 *   that nobody waits on any more is given up together with what it has not sent.
 */
import { type ClientDuplexStream, type Client as GrpcClient, Metadata, status } from '@grpc/grpc-js';
import type { RunStepsRequestInput, RunStepsResponse, StepCallInput, StepReply } from '@holdfast/contracts';
import {
  type CallOptions,
  type CallResult,
  type ChannelTls,
  type Client,
  callUnary,
  connect,
  failureOf,
  stepService,
} from '@holdfast/rpc';

const STREAMS = 2;
// Short, because opening one costs next to nothing: a replica that was not connected yet when the streams were opened, or
// that is new, gets its share within a second or two instead of idling beside a busy one.
const MAX_STREAM_AGE_MS = 1_000;
const UNARY_FOR_MS = 30_000;
// Below the server's limit for one message, with room for the envelope.
const MAX_MESSAGE_BYTES = 192 * 1024;
const MAX_CALLS_PER_MESSAGE = 256;
/** Calls that wait for an answer, on all streams; beyond that a caller is told to come back. */
const MAX_PENDING = 10_000;

interface Method {
  path: string;
  requestSerialize: (message: unknown) => Buffer;
  responseDeserialize: (bytes: Buffer) => unknown;
  requestStream: boolean;
  responseStream: boolean;
}

/** A call that its caller waits for, and a listener of its signal. */
class Pending {
  readonly name: string;
  readonly method: Method;
  readonly request: unknown;
  readonly options: CallOptions;
  /** On the clock of performance.now(): when its caller stops waiting, whichever way it goes. */
  readonly deadlineAtMs: number;
  readonly settle: (result: CallResult<unknown>) => void;
  /** On which it has been sent, and its number there. */
  lane: StepLane | undefined;
  id = 0;

  constructor(name: string, method: Method, request: unknown, options: CallOptions, settle: Pending['settle']) {
    this.name = name;
    this.method = method;
    this.request = request;
    this.options = options;
    this.deadlineAtMs = performance.now() + options.timeoutMs;
    this.settle = settle;
  }

  /** Its caller has given it up. */
  handleEvent(): void {
    this.lane?.giveUp(this.id);
  }
}

type Stream = ClientDuplexStream<RunStepsRequestInput, RunStepsResponse>;

/** Like createClient, with its calls in batches. `address` is host:port or dns:///name:port. Unary methods only. */
export function createStepClient<D extends object>(definition: D, address: string, tls?: ChannelTls): Client<D> {
  const channel = connect(address, tls);
  const lanes = new StepLanes(channel);
  const methods = Object.entries(definition).map(([name, method]) => [
    name,
    (request: unknown, options: CallOptions) => lanes.call(name, method as Method, request, options),
  ]);
  const close = () => {
    lanes.close();
    channel.close();
  };
  return { ...Object.fromEntries(methods), close } as Client<D>;
}

class StepLanes {
  readonly #channel: GrpcClient;
  readonly #lanes: (StepLane | undefined)[] = Array.from({ length: STREAMS }, () => undefined);
  #queue: Pending[] = [];
  #scheduled = false;
  #turn = 0;
  #unaryUntilMs = 0;
  #pending = 0;
  #closed = false;

  constructor(channel: GrpcClient) {
    this.#channel = channel;
  }

  call(name: string, method: Method, request: unknown, options: CallOptions): Promise<CallResult<unknown>> {
    if (this.#pending >= MAX_PENDING) return Promise.resolve(notKnown('RESOURCE_EXHAUSTED', 'too many calls wait'));
    this.#pending += 1;
    return new Promise<CallResult<unknown>>((resolve) => {
      const settle = (result: CallResult<unknown>) => {
        this.#pending -= 1;
        resolve(result);
      };
      this.#queue.push(new Pending(name, method, request, options, settle));
      if (this.#scheduled) return;
      this.#scheduled = true;
      // After the I/O of this turn: sagas whose checkpoints were one flush go on together.
      setImmediate(() => this.#flush());
    });
  }

  close(): void {
    this.#closed = true;
    for (const lane of this.#lanes) lane?.end();
  }

  #flush(): void {
    this.#scheduled = false;
    const queued = this.#queue;
    this.#queue = [];
    const calls: Pending[] = [];
    for (const call of queued) {
      const isGivenUp = this.#closed || call.options.signal?.aborted === true;
      if (isGivenUp) call.settle(notKnown('CANCELLED', 'given up before it was sent'));
      else calls.push(call);
    }
    if (calls.length === 0) return;
    if (performance.now() < this.#unaryUntilMs) {
      this.#callOneByOne(calls);
      return;
    }
    this.#turn = (this.#turn + 1) % STREAMS;
    this.#lane(this.#turn).send(calls);
  }

  #lane(at: number): StepLane {
    const current = this.#lanes[at];
    if (current?.isOpen()) return current;
    current?.end();
    const lane = new StepLane(this.#channel, (unanswered) => {
      // Nothing of them was run, so that they can be sent another way at once.
      this.#unaryUntilMs = performance.now() + UNARY_FOR_MS;
      this.#callOneByOne(unanswered);
    });
    this.#lanes[at] = lane;
    return lane;
  }

  #callOneByOne(calls: Pending[]): void {
    for (const { method, request, options, deadlineAtMs, settle } of calls) {
      const timeoutMs = Math.max(deadlineAtMs - performance.now(), 1);
      void callUnary(this.#channel, method, request, { ...options, timeoutMs }).then(settle);
    }
  }
}

/** One stream, from its opening to its end. */
class StepLane {
  readonly #stream: Stream;
  readonly #pending = new Map<number, Pending>();
  readonly #retireAtMs = performance.now() + MAX_STREAM_AGE_MS;
  readonly #notOffered: (unanswered: Pending[]) => void;
  #nextId = 1;
  #retired = false;
  #lost = false;
  /** A call got no answer in time: the peer may never end the stream by itself. */
  #isStuck = false;
  /** One for all calls, at the earliest of their deadlines. */
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(channel: GrpcClient, notOffered: (unanswered: Pending[]) => void) {
    this.#notOffered = notOffered;
    const { path, requestSerialize, responseDeserialize } = stepService.RunSteps;
    this.#stream = channel.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
    this.#stream.on('data', ({ replies }: RunStepsResponse) => {
      for (const reply of replies) this.#answer(reply);
      this.#endIfIdle();
    });
    this.#stream.on('error', (error: { code: number; details: string; metadata: Metadata }) => this.#lose(error));
    this.#stream.on('end', () => this.#lose({ code: status.UNAVAILABLE, details: 'the stream of steps has ended' }));
  }

  isOpen(): boolean {
    if (performance.now() >= this.#retireAtMs) this.#retired = true;
    return !this.#retired && !this.#lost;
  }

  /** Takes no more calls; those under way are still waited for. */
  end(): void {
    this.#retired = true;
    this.#endIfIdle();
  }

  send(calls: Pending[]): void {
    let message: StepCallInput[] = [];
    let bytes = 0;
    for (const call of calls) {
      const encoded = this.#register(call);
      const size = (encoded.request as Buffer).length;
      if (message.length >= MAX_CALLS_PER_MESSAGE || (message.length > 0 && bytes + size > MAX_MESSAGE_BYTES)) {
        this.#stream.write({ calls: message });
        [message, bytes] = [[], 0];
      }
      message.push(encoded);
      bytes += size + ENVELOPE_BYTES;
    }
    if (message.length > 0) this.#stream.write({ calls: message });
  }

  /** The caller of this call waits no longer. */
  giveUp(id: number): void {
    this.#settle(id, notKnown('CANCELLED', 'given up by the caller'));
    this.#endIfIdle();
  }

  #register(call: Pending): StepCallInput {
    const id = this.#nextId++;
    const { name, method, request, options } = call;
    call.lane = this;
    call.id = id;
    options.signal?.addEventListener('abort', call, ONCE);
    this.#pending.set(id, call);
    this.#expireAt(call.deadlineAtMs);
    return {
      id,
      method: name,
      request: method.requestSerialize(request),
      idempotencyKey: options.key ?? '',
      sagaEpoch: options.epoch ?? 0,
      tenantId: options.tenantId ?? '',
      traceparent: options.traceparent ?? '',
      timeoutMs: Math.ceil(options.timeoutMs),
    };
  }

  #expireAt(deadlineAtMs: number): void {
    if (deadlineAtMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = deadlineAtMs;
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, deadlineAtMs - performance.now()));
  }

  #expire(): void {
    const now = performance.now();
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const { id, options, deadlineAtMs } of this.#pending.values()) {
      if (deadlineAtMs > now) {
        nextAtMs = Math.min(nextAtMs, deadlineAtMs);
        continue;
      }
      this.#retired = true;
      this.#isStuck = true;
      this.#settle(id, notKnown('DEADLINE_EXCEEDED', `no answer within ${options.timeoutMs} ms`));
    }
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    if (this.#pending.size > 0) this.#expireAt(nextAtMs);
    this.#endIfIdle();
  }

  #answer(reply: StepReply): void {
    const id = Number(reply.id);
    const call = this.#pending.get(id);
    // It was given up before: the same key brings the same answer.
    if (call === undefined) return;
    const { replayed } = reply;
    if (reply.failure) {
      const { code, message, statusDetails, pushbackMs } = reply.failure;
      this.#settle(id, failureOf({ code, message, details: statusDetails, pushbackMs, replayed }));
    } else this.#settle(id, answerIn(reply, call.method));
  }

  #settle(id: number, result: CallResult<unknown>): void {
    const call = this.#take(id);
    call?.settle(result);
  }

  #take(id: number): Pending | undefined {
    const call = this.#pending.get(id);
    if (call === undefined) return undefined;
    this.#pending.delete(id);
    call.options.signal?.removeEventListener('abort', call);
    if (this.#pending.size === 0) this.#stopTimer();
    return call;
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #endIfIdle(): void {
    if (!this.#retired || this.#lost || this.#pending.size > 0) return;
    // Cancelling stops no work over there (G13), and lets go of what is still waiting to be sent.
    if (this.#isStuck) this.#stream.cancel();
    else this.#stream.end();
  }

  /** Whether the calls under way were run is not known, unless the participant has no streams at all. */
  #lose(error: { code: number; details: string }): void {
    if (this.#lost) return;
    this.#lost = true;
    const unanswered = [...this.#pending.keys()].flatMap((id) => this.#take(id) ?? []);
    if (error.code === status.UNIMPLEMENTED) this.#notOffered(unanswered);
    else for (const { settle } of unanswered) settle(notKnown(status[error.code] ?? 'UNKNOWN', error.details));
  }
}

/** Damaged bytes are an answer nobody can read, not a reason for this process to end. */
function answerIn({ response, replayed }: StepReply, method: Method): CallResult<unknown> {
  try {
    return { kind: 'completed', message: method.responseDeserialize(response ?? Buffer.alloc(0)), replayed };
  } catch {
    return notKnown('INTERNAL', `the answer can't be read: it is no message that ${method.path} gives`);
  }
}

// Key, tenant, trace and the fields' tags: at most.
const ENVELOPE_BYTES = 320;
const ONCE = { once: true };

function notKnown(reason: string, message: string): CallResult<never> {
  const code = status[reason as keyof typeof status] as number;
  return failureOf({ code, message, details: Buffer.alloc(0), pushbackMs: null, replayed: false });
}
