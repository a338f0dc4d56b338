/*
 * What a connection is held to before there is a request: each phase has a deadline, and what can't be read as HTTP is answered
 * with a problem like everything else.
 */
import type { Socket } from 'node:net';
import { answerOfProblem, Problem, type ProblemCode } from './problem.ts';

const HEADERS_MS = 10_000;
const REQUEST_MS = 20_000;
const CHECK_EVERY_MS = 1_000;
const MAX_HEADER_BYTES = 16 * 1_024;

/** Of Node's server. */
export const CONNECTION_OPTIONS = {
  /** From the first byte of a request, or the opening of the connection, to the end of its headers. */
  headersTimeout: HEADERS_MS,
  /** To the end of its body. */
  requestTimeout: REQUEST_MS,
  connectionsCheckingInterval: CHECK_EVERY_MS,
  maxHeaderSize: MAX_HEADER_BYTES,
  // Node would answer by itself, with nothing that says what is wrong.
  requireHostHeader: false,
};

const CODES: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** Answers what is no request, or no whole one, and ends the connection: where the next request begins is not known. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // Nobody is there any more, or an answer has begun: a second one would be read as part of it.
  if (error.code === 'ECONNRESET' || !socket.writable || hasBegun(socket)) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = answerOfProblem(new Problem(CODES[error.code ?? ''] ?? 'malformed-request'));
  const fields = {
    ...headers,
    'cache-control': 'no-store',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} \r\n${lines.join('')}\r\n${body}`, () => socket.destroySoon());
}

/** Whether Node has written the head of an answer to a request on this connection that is still open. */
function hasBegun(socket: Socket): boolean {
  const { _httpMessage: answer } = socket as Socket & { _httpMessage?: { headersSent: boolean } | null };
  return answer?.headersSent === true;
}
