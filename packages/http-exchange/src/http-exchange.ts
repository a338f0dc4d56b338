/*
 * One request to an outside service, and its whole answer.
 *
 * S4  A request is sent once at most: nothing is retried, no redirect is followed, and one that was given up while it waited
 *     for its connection is never sent. The outcome of a failed one is unknown here; its caller asks.
 *
 * One deadline covers a call from connecting to the last byte of the answer, and the answer is bounded. This is the
 * dispatcher below `fetch`: streams, headers and abort signals made for each call cost several times what the call does.
 */
import { Agent, type Dispatcher } from 'undici';

export interface ExchangeRequest {
  /** Scheme, host and port. */
  origin: string;
  method: string;
  /** With the query. */
  path: string;
  headers?: Record<string, string | number | string[] | undefined>;
  body?: string;
  /** For the whole call. */
  timeoutMs: number;
}

export interface ExchangeAnswer {
  status: number;
  /** By their names in lower case. */
  headers: Record<string, string | string[]>;
  /** Null when it was longer than it may be. */
  body: string | null;
}

/** No answer, or a part of one: the request may have been carried out or not. */
export class ExchangeFailed extends Error {
  override name = 'ExchangeFailed';
  /** TIMEOUT, or what the system or the client calls it (ECONNREFUSED, UND_ERR_SOCKET). */
  readonly reason: string;

  constructor(reason: string, cause?: Error) {
    super(`no answer (${reason})`, { cause });
    this.reason = reason;
  }
}

/** @throws ExchangeFailed */
export type Exchange = (request: ExchangeRequest) => Promise<ExchangeAnswer>;

/**
 * Connections are opened as they are needed and kept for a while; an idle one does not keep the process alive.
 * @param maxAnswerBytes a longer answer is cut off, and its connection closed
 */
export function createExchange(maxAnswerBytes: number): Exchange {
  // Calls have their own deadline. HTTP/2 would put them all on one connection, which one lost packet holds up for all.
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, allowH2: false });
  return ({ timeoutMs, headers = {}, body = null, ...request }) =>
    new Promise((resolve, reject) => {
      agent.dispatch({ ...request, headers, body }, new Call(maxAnswerBytes, timeoutMs, resolve, reject));
    });
}

/** A waiting caller gets the first end only: promises ensure that. */
class Call implements Dispatcher.DispatchHandler {
  readonly #maxBytes: number;
  readonly #resolve: (answer: ExchangeAnswer) => void;
  readonly #reject: (failed: ExchangeFailed) => void;
  readonly #deadline: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #isLate = false;
  #status = 0;
  #headers: ExchangeAnswer['headers'] = {};
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(
    maxBytes: number,
    timeoutMs: number,
    resolve: (answer: ExchangeAnswer) => void,
    reject: (failed: ExchangeFailed) => void,
  ) {
    this.#maxBytes = maxBytes;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = setTimeout(() => this.#giveUp(), timeoutMs);
  }

  /** Its connection is there, and nothing is written yet. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#isLate) controller.abort(new ExchangeFailed('TIMEOUT'));
    this.#controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: object): void {
    this.#status = status;
    this.#headers = headers as ExchangeAnswer['headers'];
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes <= this.#maxBytes) {
      this.#chunks.push(chunk);
      return;
    }
    this.#end(null);
    controller.abort(new ExchangeFailed('TOO_LONG'));
  }

  onResponseEnd(): void {
    const [first, ...rest] = this.#chunks;
    this.#end((first !== undefined && rest.length === 0 ? first : Buffer.concat(this.#chunks)).toString('utf8'));
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error & { code?: string }): void {
    clearTimeout(this.#deadline);
    this.#reject(new ExchangeFailed(error.code ?? error.name, error));
  }

  #end(body: string | null): void {
    clearTimeout(this.#deadline);
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  #giveUp(): void {
    this.#isLate = true;
    const late = new ExchangeFailed('TIMEOUT');
    this.#reject(late);
    this.#controller?.abort(late);
  }
}
